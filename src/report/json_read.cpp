/// Reading a saved report: what every report has. The account is read by json_read_exits.cpp, what need not
/// be there by json_sections.cpp.
#include <fmt/format.h>

#include <vector>

#include "report/formats.hpp"
#include "report/json_format.hpp"
#include "report/json_node.hpp"
#include "report/json_parse.hpp"
#include "report/json_read_exits.hpp"
#include "report/json_sections.hpp"

namespace kvmbench::report {
namespace {

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

}  // namespace

Report from_json(std::string_view text, const std::string& name) {
  const JsonDocument document = parse_json(text, name);
  return read(Node(document, name));
}

}  // namespace kvmbench::report
