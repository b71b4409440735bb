/// Reading a saved report: what every report has. The account is read by json_read_exits.cpp, what need not
/// be there by json_sections.cpp.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "base/error.hpp"
#include "report/formats.hpp"
#include "report/json_format.hpp"
#include "report/json_node.hpp"
#include "report/json_read_exits.hpp"
#include "report/json_sections.hpp"
#include "report/printable.hpp"

namespace kvmbench::report {
namespace {

using Json = nlohmann::json;

/// The version, if it is one that is read.
std::uint64_t version_of(const Node& root) {
  if (root["format"].text() != json_format)
    root["format"].refuse(fmt::format("this is not \"{}\"", json_format));
  const std::uint64_t version = root["version"].number();
  if (version < oldest_json_version || version > json_version) {
    root["version"].refuse(fmt::format("version {}{}; this kvmbench reads versions {} to {}", version,
                                       version > json_version ? " is newer" : "", oldest_json_version,
                                       json_version));
  }
  return version;
}

void check_buckets(const Node& node) {
  node.expect_members({"sub_bits", "value_bits", "count"});
  const bool same = node["sub_bits"].number() == stats::buckets::sub_bits &&
                    node["value_bits"].number() == stats::buckets::value_bits &&
                    node["count"].number() == stats::buckets::count;
  if (!same) node.refuse("histograms of another bucket scheme");
}

Facts facts(const Node& node) {
  constexpr std::size_t most = 1000;
  Facts facts;
  for (const Node& fact : node.elements(most)) {
    fact.expect_members({"name", "value"});
    facts.emplace_back(fact["name"].text(), fact["value"].text());
  }
  return facts;
}

Report read(const Node& root) {
  const std::uint64_t version = version_of(root);
  std::vector<std::string_view> optional;
  for (const JsonSection& section : json_sections()) {
    if (section.since <= version) optional.emplace_back(section.name);
  }
  root.expect_members({"format", "version", "kvmbench", "started", "wall_seconds", "ending", "exit_status",
                       "machine", "host", "tsc_khz", "began", "taken", "exits", "kernel_exits", "totals",
                       "by_reason", "phases", "buckets", "vcpus"},
                      optional);
  check_buckets(root["buckets"]);
  Report report;
  report.kvmbench_version = root["kvmbench"].text();
  report.started = root["started"].text();
  report.wall_seconds = root["wall_seconds"].seconds();
  report.ending = root["ending"].text();
  report.exit_status = root["exit_status"].status();
  report.machine = facts(root["machine"]);
  report.host = facts(root["host"]);
  report.snapshot.tsc_khz = root["tsc_khz"].number();
  report.snapshot.began = root["began"].number();
  report.snapshot.taken = root["taken"].number();
  read_phases(root["phases"], report);
  read_vcpus(root["vcpus"], report);
  for (const JsonSection& section : json_sections()) {
    if (const std::optional<Node> node = root.find(section.name)) section.read(*node, report);
  }
  return report;
}

/// Parses with what JSON leaves open decided: no nesting beyond what a report has, no member twice.
Json parse(std::string_view text, const std::string& name) {
  std::vector<std::set<std::string>> members;
  const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start) {
      if (depth >= static_cast<int>(Place::deepest))
        throw UsageError(name + ": not a kvmbench report: nested too deeply");
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
  return read(Node(document, {}, name));
}

}  // namespace kvmbench::report
