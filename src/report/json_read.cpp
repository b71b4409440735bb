/// Reading a saved report. It may come from anywhere: nothing in it is taken on trust.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <vector>

#include "base/error.hpp"
#include "report/formats.hpp"
#include "report/json_format.hpp"
#include "report/names.hpp"
#include "report/printable.hpp"

namespace kvmbench::report {
namespace {

using Json = nlohmann::json;

/// A value of the document and where it is.
class Node final {
 public:
  Node(const Json& value, std::string place, const std::string& name)
      : value_(value), place_(std::move(place)), name_(name) {}

  [[noreturn]] void refuse(const std::string& what) const {
    throw UsageError(fmt::format("{}: not a kvmbench report: at {}: {}", name_,
                                 place_.empty() ? "/" : printable(place_), printable(what)));
  }

  /// An object with these members, all of them and no other.
  void expect_members(std::initializer_list<std::string_view> members) const {
    expect(value_.is_object(), "an object");
    for (const std::string_view member : members) {
      if (!value_.contains(member)) refuse(fmt::format("\"{}\" is missing", member));
    }
    for (const auto& [member, ignored] : value_.items()) {
      if (std::find(members.begin(), members.end(), member) == members.end()) {
        refuse(fmt::format("\"{}\" is not known in version {}", member, json_version));
      }
    }
  }

  /// A member of an object.
  [[nodiscard]] Node operator[](const char* member) const {
    expect(value_.is_object(), "an object");
    const auto found = value_.find(member);
    if (found == value_.end()) refuse(fmt::format("\"{}\" is missing", member));
    return {*found, place_ + '/' + member, name_};
  }

  [[nodiscard]] std::vector<Node> elements(std::size_t most) const {
    expect(value_.is_array(), "an array");
    if (value_.size() > most)
      refuse(fmt::format("{} elements, at most {} are possible", value_.size(), most));
    std::vector<Node> nodes;
    nodes.reserve(value_.size());
    for (std::size_t i = 0; i < value_.size(); ++i)
      nodes.emplace_back(value_[i], place_ + '/' + std::to_string(i), name_);
    return nodes;
  }

  template <typename Unsigned = std::uint64_t>
  [[nodiscard]] Unsigned number(std::uint64_t most = std::numeric_limits<Unsigned>::max(),
                                std::uint64_t least = 0) const {
    const bool in_range = value_.is_number_unsigned() && value_.get<std::uint64_t>() <= most &&
                          value_.get<std::uint64_t>() >= least;
    if (!in_range) refuse(fmt::format("{} where an integer from {} to {} belongs", shown(), least, most));
    return static_cast<Unsigned>(value_.get<std::uint64_t>());
  }

  /// An integer or null.
  [[nodiscard]] std::optional<std::uint64_t> number_or_null() const {
    if (value_.is_null()) return std::nullopt;
    return number();
  }

  [[nodiscard]] int status() const {
    constexpr std::int64_t most = std::numeric_limits<int>::max();
    constexpr std::int64_t least = std::numeric_limits<int>::min();
    const bool in_range = value_.is_number_integer() && !too_large_for_int64() &&
                          value_.get<std::int64_t>() <= most && value_.get<std::int64_t>() >= least;
    if (!in_range) refuse(shown() + " where an exit status belongs");
    return value_.get<int>();
  }

  [[nodiscard]] double seconds() const {
    const bool possible =
        value_.is_number() && std::isfinite(value_.get<double>()) && value_.get<double>() >= 0;
    if (!possible) refuse(shown() + " where a number from 0 belongs");
    return value_.get<double>();
  }

  [[nodiscard]] std::string text() const {
    expect(value_.is_string(), "a string");
    return value_.get<std::string>();
  }

  template <typename Enum, std::size_t n>
  [[nodiscard]] Enum one_of(const std::array<std::string_view, n>& names) const {
    const std::optional<Enum> found = named<Enum>(names, text());
    if (!found) refuse(fmt::format("{} where one of {} belongs", shown(), fmt::join(names, ", ")));
    return *found;
  }

 private:
  void expect(bool is, const char* kind) const {
    if (!is) refuse(fmt::format("{} where {} belongs", shown(), kind));
  }

  [[nodiscard]] bool too_large_for_int64() const {
    return value_.is_number_unsigned() &&
           value_.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max();
  }

  [[nodiscard]] std::string shown() const {
    if (value_.is_structured()) return value_.is_object() ? "an object" : "an array";
    return cut(printable(value_.dump(-1, ' ', false, Json::error_handler_t::replace)), 40);
  }

  const Json& value_;
  std::string place_;
  const std::string& name_;
};

/// Sums over a whole report stay below 2^64, so that no figure made of them wraps.
class BoundedSum final {
 public:
  void add(std::uint64_t more, const Node& at) {
    if (__builtin_add_overflow(sum_, more, &sum_)) at.refuse("the report's sum of this passes 2^64");
  }

 private:
  std::uint64_t sum_ = 0;
};

class Reader final {
 public:
  Report read(const Node& root) {
    check_version(root);
    root.expect_members({"format", "version", "kvmbench", "started", "wall_seconds", "ending", "exit_status",
                         "machine", "host", "tsc_khz", "began", "taken", "exits", "kernel_exits", "totals",
                         "by_reason", "phases", "buckets", "vcpus"});
    check_buckets(root["buckets"]);
    report_.kvmbench_version = root["kvmbench"].text();
    report_.started = root["started"].text();
    report_.wall_seconds = root["wall_seconds"].seconds();
    report_.ending = root["ending"].text();
    report_.exit_status = root["exit_status"].status();
    report_.machine = facts(root["machine"]);
    report_.host = facts(root["host"]);
    stats::Snapshot& snapshot = report_.snapshot;
    snapshot.tsc_khz = root["tsc_khz"].number();
    snapshot.began = root["began"].number();
    snapshot.taken = root["taken"].number();
    for (const Node& node : root["phases"].elements(max_phases)) snapshot.phases.push_back(phase(node));
    for (const Node& node : root["vcpus"].elements(max_vcpus)) snapshot.vcpus.push_back(vcpu(node));
    return std::move(report_);
  }

 private:
  static constexpr std::size_t max_phases = std::size_t{1} << 16;  // ExitKey::phase
  static constexpr std::size_t max_vcpus = std::size_t{1} << 16;
  static constexpr std::size_t max_keys = std::size_t{1} << 16;  // stats::Recorder
  static constexpr std::size_t max_facts = 1000;

  static void check_version(const Node& root) {
    if (root["format"].text() != json_format)
      root["format"].refuse(fmt::format("this is not \"{}\"", json_format));
    const std::uint64_t version = root["version"].number();
    if (version != json_version) {
      root["version"].refuse(
          fmt::format("version {}; this kvmbench reads version {}", version, json_version));
    }
  }

  static void check_buckets(const Node& node) {
    node.expect_members({"sub_bits", "value_bits", "count"});
    const bool same = node["sub_bits"].number() == stats::buckets::sub_bits &&
                      node["value_bits"].number() == stats::buckets::value_bits &&
                      node["count"].number() == stats::buckets::count;
    if (!same) node.refuse("histograms of another bucket scheme");
  }

  static Facts facts(const Node& node) {
    Facts facts;
    for (const Node& fact : node.elements(max_facts)) {
      fact.expect_members({"name", "value"});
      facts.emplace_back(fact["name"].text(), fact["value"].text());
    }
    return facts;
  }

  static stats::Phase phase(const Node& node) {
    node.expect_members({"name", "kind", "value", "text", "first_began", "exits", "service", "run"});
    stats::Phase phase;
    phase.label.kind = node["kind"].one_of<stats::PhaseLabel::Kind>(phase_kind_names);
    phase.label.value = node["value"].number<std::uint32_t>();
    phase.label.text = node["text"].text();
    phase.first_began = node["first_began"].number();
    return phase;
  }

  stats::VcpuSnapshot vcpu(const Node& node) {
    node.expect_members({"vcpu", "exits", "kernel_exits", "keys"});
    stats::VcpuSnapshot vcpu;
    vcpu.vcpu = node["vcpu"].number<std::uint32_t>();
    if (!vcpus_.insert(vcpu.vcpu).second) node["vcpu"].refuse("this vCPU comes twice");
    vcpu.exits = node["exits"].number();
    exits_.add(vcpu.exits, node["exits"]);
    vcpu.kernel_exits = node["kernel_exits"].number_or_null();
    kernel_exits_.add(vcpu.kernel_exits.value_or(0), node["kernel_exits"]);
    std::set<stats::ExitKey, KeyOrder> seen;
    for (const Node& key : node["keys"].elements(max_keys)) {
      vcpu.keys.push_back(key_stats(key));
      if (!seen.insert(vcpu.keys.back().key).second) key.refuse("this key comes twice");
    }
    return vcpu;
  }

  stats::KeyStats key_stats(const Node& node) {
    node.expect_members({"phase", "reason", "address", "direction", "width", "reason_name", "device",
                         "register", "count", "transfers", "service", "run"});
    stats::KeyStats stats;
    stats.key = key(node);
    const KeyName name{node["device"].text(), node["register"].text()};
    if (!named_.insert(without_phase(stats.key)).second && report_.name_of(stats.key) != name) {
      node.refuse("another device or register than this key has before");
    }
    report_.set_name(stats.key, name);
    stats.count = node["count"].number();
    stats.transfers = node["transfers"].number();
    counts_.add(stats.count, node["count"]);
    transfers_.add(stats.transfers, node["transfers"]);
    stats.service = times(node["service"], services_);
    stats.run = times(node["run"], runs_);
    return stats;
  }

  [[nodiscard]] stats::ExitKey key(const Node& node) const {
    stats::ExitKey key;
    key.reason = node["reason"].number<std::uint32_t>();
    key.address = node["address"].number();
    key.direction = node["direction"].one_of<Direction>(direction_names);
    key.width = node["width"].number<std::uint8_t>();
    key.phase = node["phase"].number<std::uint16_t>();
    if (key.phase >= report_.snapshot.phases.size()) node["phase"].refuse("there is no such phase");
    return key;
  }

  static stats::ExitKey without_phase(stats::ExitKey key) {
    key.phase = 0;
    return key;
  }

  stats::TimeStats times(const Node& node, BoundedSum& values) {
    node.expect_members({"count", "sum", "min", "mean", "p50", "p90", "p99", "p99.9", "max", "histogram"});
    stats::TimeStats times;
    std::size_t next = 0;
    for (const Node& pair : node["histogram"].elements(stats::buckets::count)) {
      const std::vector<Node> bucket = pair.elements(2);
      if (bucket.size() != 2) pair.refuse("a bucket is a pair of its index and its count");
      const std::size_t index = bucket[0].number(stats::buckets::count - 1);
      if (index < next) bucket[0].refuse("buckets come in ascending order, each once");
      next = index + 1;
      const std::uint64_t count = bucket[1].number(std::numeric_limits<std::uint64_t>::max(), 1);
      values.add(count, bucket[1]);
      times.histogram.add_to_bucket(index, count);
    }
    if (node["count"].number() != times.count()) node["count"].refuse("not the sum of the histogram");
    times.sum = node["sum"].number();
    times.min = node["min"].number();
    times.max = node["max"].number();
    cycles_.add(times.sum, node["sum"]);
    if (times.min > times.max) node["min"].refuse("above the maximum");
    return times;
  }

  Report report_;
  std::set<std::uint32_t> vcpus_;
  std::set<stats::ExitKey, KeyOrder> named_;
  BoundedSum exits_, kernel_exits_, counts_, transfers_, services_, runs_;
  BoundedSum cycles_;  // service and run
};

/// Parses with what JSON leaves open decided: no nesting beyond what a report has, no member twice.
Json parse(std::string_view text, const std::string& name) {
  constexpr int deepest = 16;
  std::vector<std::set<std::string>> members;
  const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start) {
      if (depth >= deepest) throw UsageError(name + ": not a kvmbench report: nested too deeply");
    }
    if (event == Json::parse_event_t::object_start) members.emplace_back();
    if (event == Json::parse_event_t::object_end) members.pop_back();
    if (event == Json::parse_event_t::key && !members.back().insert(value.get<std::string>()).second) {
      throw UsageError(fmt::format("{}: not a kvmbench report: member \"{}\" comes twice in one object", name,
                                   cut(printable(value.get<std::string>()), 40)));
    }
    return true;
  };
  try {
    return Json::parse(text, check);
  } catch (const Json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, ...": the library's own number says nothing.
    const std::string_view what = error.what();
    const std::size_t number = what.find("] ");
    throw UsageError(
        fmt::format("{}: not JSON: {}", name,
                    printable(number == std::string_view::npos ? what : what.substr(number + 2))));
  }
}

}  // namespace

Report from_json(std::string_view text, const std::string& name) {
  const Json document = parse(text, name);
  return Reader().read(Node(document, "", name));
}

}  // namespace kvmbench::report
