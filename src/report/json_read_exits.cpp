/// The account in a saved report: phases, vCPUs, keys and their times.
#include "report/json_read_exits.hpp"

#include <algorithm>
#include <set>
#include <span>

#include "report/json_times.hpp"

namespace kvmbench::report {
namespace {

constexpr std::size_t max_phases = std::size_t{1} << 16;  // ExitKey::phase
constexpr std::size_t max_vcpus = std::size_t{1} << 16;
constexpr std::size_t max_keys = std::size_t{1} << 16;  // stats::Recorder

stats::Phase phase(const Node& node) {
  node.expect_members({"name", "kind", "value", "text", "first_began", "exits", "service", "run"});
  stats::Phase phase;
  phase.label.kind = node["kind"].one_of<stats::PhaseLabel::Kind>(phase_kind_names);
  phase.label.value = node["value"].number<std::uint32_t>();
  phase.label.text = node["text"].text();
  phase.first_began = node["first_began"].number();
  return phase;
}

class ExitsReader final {
 public:
  explicit ExitsReader(Report& report) : report_(report) {}

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
    constexpr std::size_t at_once = 1024;  // a key is some 10 KiB
    const Node::Elements keys = node["keys"].elements(max_keys);
    vcpu.keys.reserve(std::min(keys.size(), at_once));
    for (const Node& key : keys) {
      read_key(key, vcpu.keys.emplace_back());
      if (!seen.insert(vcpu.keys.back().key).second) key.refuse("this key comes twice");
    }
    return vcpu;
  }

 private:
  void read_key(const Node& node, stats::KeyStats& stats) {
    node.expect_members({"phase", "reason", "address", "direction", "width", "reason_name", "device",
                         "register", "count", "transfers", "service", "run"});
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
    read_times(node["service"], services_, cycles_, stats.service);
    read_times(node["run"], runs_, cycles_, stats.run);
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

  Report& report_;
  std::set<std::uint32_t> vcpus_;
  std::set<stats::ExitKey, KeyOrder> named_;
  BoundedSum exits_, kernel_exits_, counts_, transfers_, services_, runs_;
  BoundedSum cycles_;  // service and run
};

}  // namespace

void read_phases(const Node& node, Report& report) {
  for (const Node& each : node.elements(max_phases)) report.snapshot.phases.push_back(phase(each));
}

void read_vcpus(const Node& node, Report& report) {
  ExitsReader reader(report);
  for (const Node& vcpu : node.elements(max_vcpus)) report.snapshot.vcpus.push_back(reader.vcpu(vcpu));
}

}  // namespace kvmbench::report
