/// Reading what --interval has written. It may come from anywhere: nothing in it is taken on trust.
#include <fmt/format.h>

#include <map>

#include "base/error.hpp"
#include "report/json_format.hpp"
#include "report/json_node.hpp"
#include "report/json_parse.hpp"
#include "report/timeline.hpp"
#include "report/units.hpp"

namespace kvmbench::report {
namespace {

void add_interval(const Node& root, Timeline& timeline) {
  if (root["format"].text() != json_interval_format)
    root["format"].refuse(fmt::format("this is not \"{}\"", json_interval_format));
  static_cast<void>(root["version"].number(json_version, oldest_json_version));
  const Clock clock(root["tsc_khz"].number(std::numeric_limits<std::uint64_t>::max(), 1));
  const std::uint64_t began = root["began"].number();
  const std::uint64_t taken = root["taken"].number(std::numeric_limits<std::uint64_t>::max(), began);
  std::map<std::uint32_t, std::uint64_t> exits;
  BoundedSum all;
  constexpr std::size_t most_keys = std::size_t{1} << 24;
  for (const Node& key : root["keys"].elements(most_keys)) {
    all.add(key["count"].number(), key["count"]);
    exits[key["reason"].number<std::uint32_t>()] += key["count"].number();
  }
  if (taken > began) timeline.add(clock.seconds(static_cast<double>(taken - began)), exits);
}

}  // namespace

Timeline timeline_from_json_lines(std::string_view text, const std::string& name) {
  Timeline timeline;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    // A run that was killed may have left its last line unfinished.
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
    const std::string place = fmt::format("{}: line {}", name, number);
    const JsonDocument document = parse_json(line, place);
    add_interval(Node(document, place), timeline);
  }
  return timeline;
}

}  // namespace kvmbench::report
