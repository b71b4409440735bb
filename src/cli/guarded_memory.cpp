#include "cli/guarded_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/error.hpp"
#include "cli/device_options.hpp"

namespace kvmbench::cli {
namespace {

using Kind = GuardedRange::Kind;
using std::chrono::nanoseconds;

std::optional<std::uint64_t> address(std::string_view text) {
  const int base = text.starts_with("0x") ? 16 : 10;
  if (base == 16) text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole ? std::optional(value) : std::nullopt;
}

GuardedRange range(const DeviceOptions& options, std::string_view text) {
  const std::size_t dash = std::min(text.find('-'), text.size());
  const auto first = address(text.substr(0, dash));
  const auto last = address(text.substr(std::min(dash + 1, text.size())));
  if (!first || !last)
    options.refuse(fmt::format("{}: a range is FIRST-LAST, such as 0x1000000-0x1001fff", text));
  if (*first % guest_page != 0 || *last % guest_page != guest_page - 1 || *last < *first) {
    options.refuse(fmt::format("{}: a range is whole pages: FIRST ends in 000, LAST in fff", text));
  }
  if (*last - *first == ~std::uint64_t{0}) options.refuse(fmt::format("{}: that is more than all", text));
  return {.first = Gpa{*first}, .length = *last - *first + 1, .kind = {}, .action = {}};
}

GuardedRange parse_protect(const std::string& text) {
  static constexpr std::array<std::string_view, 3> actions = {"report", "inject", "stop"};
  DeviceOptions options("--protect", text);
  const std::string& value = options.value();
  const std::size_t colon = std::min(value.find(':'), value.size());
  GuardedRange protect = range(options, std::string_view(value).substr(0, colon));
  const std::string_view use = std::string_view(value).substr(std::min(colon + 1, value.size()));
  if (use != "none" && use != "ro")
    options.refuse("what the guest may do with it follows a colon: none, or ro for reading only");
  protect.kind = use == "none" ? Kind::off_limits : Kind::read_only;
  protect.action = static_cast<GuardedRange::Action>(options.choice("action", actions).value_or(0));
  options.finish();
  return protect;
}

GuardedRange parse_watch(const std::string& text, std::optional<nanoseconds>& every) {
  static constexpr std::array<std::string_view, 3> ways = {"exit", "bitmap", "ring"};
  static constexpr std::array kinds = {Kind::watched_exit, Kind::watched_bitmap, Kind::watched_ring};
  DeviceOptions options("--watch", text);
  GuardedRange watch = range(options, options.value());
  watch.kind = kinds[options.choice("by", ways).value_or(0)];
  if (const auto given = options.duration("every", std::chrono::hours(1))) {
    if (watch.kind != Kind::watched_bitmap)
      options.refuse("every=TIME is how often the bitmap is asked for, with by=bitmap");
    if (given->count() == 0) options.refuse("every=TIME is longer than nothing");
    every = std::min(every.value_or(*given), *given);
  }
  options.finish();
  return watch;
}

}  // namespace

GuardedMemoryOptions parse_guarded_memory(const std::vector<std::string>& protect,
                                          const std::vector<std::string>& watch) {
  GuardedMemoryOptions parsed;
  std::optional<nanoseconds> every;
  for (const std::string& text : protect) parsed.ranges.push_back(parse_protect(text));
  for (const std::string& text : watch) parsed.ranges.push_back(parse_watch(text, every));
  parsed.every = every.value_or(parsed.every);
  const auto has = [&parsed](Kind kind) {
    return std::any_of(parsed.ranges.begin(), parsed.ranges.end(),
                       [kind](const GuardedRange& one) { return one.kind == kind; });
  };
  if (has(Kind::watched_bitmap) && has(Kind::watched_ring)) {
    throw UsageError(
        "--watch: KVM keeps the bitmap or the rings, for all of a machine: give by=bitmap or by=ring, not "
        "both");
  }
  return parsed;
}

}  // namespace kvmbench::cli
