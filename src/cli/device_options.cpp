#include "cli/device_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/error.hpp"

namespace kvmbench::cli {
namespace {

using std::chrono::nanoseconds;

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 5> sizes = {
    {{"", 1}, {"K", 1ull << 10}, {"M", 1ull << 20}, {"G", 1ull << 30}, {"T", 1ull << 40}}};
constexpr std::array<Unit, 4> times = {{{"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}}};
constexpr std::array<Unit, 1> no_units = {{{"", 1}}};

/// A whole number and its unit; nullopt where it is anything else, or past 64 bits.
std::optional<std::uint64_t> parse(std::string_view text, std::span<const Unit> units) {
  const int base = text.starts_with("0x") ? 16 : 10;
  if (base == 16) text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const auto unit =
      std::find_if(units.begin(), units.end(), [rest](const Unit& one) { return one.name == rest; });
  if (unit == units.end() || value > std::numeric_limits<std::uint64_t>::max() / unit->factor)
    return std::nullopt;
  return value * unit->factor;
}

/// As a user would write it: 64K, 1M, 1000.
std::string size_text(std::uint64_t bytes) {
  const auto unit = std::find_if(sizes.rbegin(), sizes.rend(), [bytes](const Unit& one) {
    return bytes >= one.factor && bytes % one.factor == 0;
  });
  return unit == sizes.rend() ? fmt::format("{}", bytes)
                              : fmt::format("{}{}", bytes / unit->factor, unit->name);
}

std::string time_text(nanoseconds time) {
  const auto count = static_cast<std::uint64_t>(time.count());
  const auto unit = std::find_if(times.rbegin(), times.rend(), [count](const Unit& one) {
    return count >= one.factor && count % one.factor == 0;
  });
  return unit == times.rend() ? fmt::format("{}ns", count)
                              : fmt::format("{}{}", count / unit->factor, unit->name);
}

/// Whether "KEY=TEXT" begins with a key, rather than being a value in which a '=' occurs.
bool begins_with_key(std::string_view part) {
  const std::size_t equals = part.find('=');
  return equals != std::string_view::npos &&
         part.substr(0, equals).find_first_of(":/.") == std::string_view::npos;
}

}  // namespace

DeviceOptions::DeviceOptions(std::string option, std::string_view text)
    : option_(std::move(option)), whole_(text) {
  bool first = true;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::string_view part = text.substr(at, comma - at);
    at = comma + 1;
    if (std::exchange(first, false) && !begins_with_key(part)) {
      value_ = part;
      continue;
    }
    const std::size_t equals = part.find('=');
    const std::string key(part.substr(0, equals));
    std::optional<std::string> given;
    if (equals != std::string_view::npos) given = part.substr(equals + 1);
    if (key.empty()) refuse("there is a comma without an option behind it");
    if (!given_.emplace(key, given).second) refuse(fmt::format("{} is given twice", key));
  }
}

std::optional<std::string> DeviceOptions::take_text(const std::string& key) {
  known_.push_back(key);
  const auto found = given_.find(key);
  if (found == given_.end()) return std::nullopt;
  const std::optional<std::string> given = found->second;
  given_.erase(found);
  return given ? *given : "";
}

std::optional<std::string> DeviceOptions::take(const std::string& key) {
  const auto given = take_text(key);
  if (given && given->empty()) refuse(fmt::format("{} needs a value: {}=...", key, key));
  return given;
}

std::optional<std::string> DeviceOptions::text(const std::string& key) {
  return take(key);
}

bool DeviceOptions::flag(const std::string& key, bool otherwise) {
  const auto given = take_text(key);
  if (!given) return otherwise;
  if (given->empty() || *given == "on") return true;
  if (*given == "off") return false;
  refuse(fmt::format("{}={}: it is on or off", key, *given));
}

std::optional<std::uint64_t> DeviceOptions::number(const std::string& key, std::uint64_t least,
                                                   std::uint64_t most) {
  const auto given = take(key);
  if (!given) return std::nullopt;
  const auto value = parse(*given, no_units);
  if (!value || *value < least || *value > most) {
    refuse(fmt::format("{}={}: it is a whole number from {} to {}", key, *given, least, most));
  }
  return value;
}

std::optional<std::uint64_t> DeviceOptions::size(const std::string& key, std::uint64_t least,
                                                 std::uint64_t most) {
  const auto given = take(key);
  if (!given) return std::nullopt;
  const auto value = parse(*given, sizes);
  if (!value || *value < least || *value > most) {
    refuse(fmt::format("{}={}: it is a size from {} to {}, such as 64K", key, *given, size_text(least),
                       size_text(most)));
  }
  return value;
}

std::optional<nanoseconds> DeviceOptions::duration(const std::string& key, nanoseconds most) {
  const auto given = take(key);
  if (!given) return std::nullopt;
  const auto value = parse(*given, times);
  if (!value || *value > static_cast<std::uint64_t>(most.count())) {
    refuse(fmt::format("{}={}: it is a time up to {} with its unit, ns, us, ms or s, such as 50us", key,
                       *given, time_text(most)));
  }
  return nanoseconds(static_cast<nanoseconds::rep>(*value));
}

std::optional<std::size_t> DeviceOptions::choice(const std::string& key,
                                                 std::span<const std::string_view> words) {
  const auto given = take(key);
  if (!given) return std::nullopt;
  const auto found = std::find(words.begin(), words.end(), *given);
  if (found == words.end())
    refuse(fmt::format("{}={}: it is one of {}", key, *given, fmt::join(words, ", ")));
  return static_cast<std::size_t>(found - words.begin());
}

void DeviceOptions::finish() const {
  if (given_.empty()) return;
  const std::string& unknown = given_.begin()->first;
  if (known_.empty()) refuse(fmt::format("there is no option {}", unknown));
  refuse(fmt::format("there is no option {}; there are {}", unknown, fmt::join(known_, ", ")));
}

void DeviceOptions::refuse(const std::string& problem) const {
  throw UsageError(fmt::format("{} {}: {}", option_, whole_, problem));
}

namespace {

/// batch=N, timeout=TIME and hold=doorbell|interrupt|both.
virtio::Coalescing take_coalescing(DeviceOptions& options) {
  static constexpr std::array<std::string_view, 3> held = {"doorbell", "interrupt", "both"};
  virtio::Coalescing taken;
  const auto batch = options.number("batch", 2, 256);
  const auto timeout = options.duration("timeout", std::chrono::seconds(1));
  const auto hold = options.choice("hold", held);
  if (!batch) {
    if (timeout || hold) options.refuse("timeout and hold need batch=N");
    return taken;
  }
  taken.batch = static_cast<std::uint16_t>(*batch);
  taken.timeout = timeout.value_or(std::chrono::microseconds(50));
  taken.doorbells = hold != 1u;
  taken.interrupts = hold != 0u;
  return taken;
}

}  // namespace

VirtioOptions take_virtio_options(DeviceOptions& options) {
  static constexpr std::array<std::string_view, 2> kicks = {"ioeventfd", "exit"};
  static constexpr std::array<std::string_view, 2> rings = {"split", "packed"};
  VirtioOptions taken;
  if (const auto kick = options.choice("kick", kicks)) {
    taken.kick = *kick == 0 ? VirtioOptions::Kick::ioeventfd : VirtioOptions::Kick::exit;
  }
  if (const auto ring = options.choice("ring", rings)) taken.ring.packed = *ring == 1;
  taken.ring.coalescing = take_coalescing(options);
  return taken;
}

}  // namespace kvmbench::cli
