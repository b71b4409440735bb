#include "experiments/guest_results.hpp"

#include <algorithm>
#include <charconv>

#include "report/printable.hpp"

namespace kvmbench::experiments {
namespace {

using report::GuestFigures;

/// Takes the text up to the next space off `line`.
std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

bool is_name(std::string_view text) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789_-";
  return !text.empty() && text.size() <= GuestResults::longest_name &&
         text.find_first_not_of(allowed) == std::string_view::npos;
}

std::optional<std::uint64_t> number_of(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

/// The name after "arm=".
std::optional<std::string> take_arm(std::string_view& line) {
  std::string_view word = take_word(line);
  constexpr std::string_view key = "arm=";
  if (!word.starts_with(key)) return std::nullopt;
  word.remove_prefix(key.size());
  return is_name(word) ? std::optional<std::string>(word) : std::nullopt;
}

bool add_number(GuestFigures& figures, std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos || figures.numbers.size() == GuestResults::most_numbers) return false;
  const std::string_view name = word.substr(0, equals);
  const std::optional<std::uint64_t> value = number_of(word.substr(equals + 1));
  if (!is_name(name) || name == "arm" || !value || figures.number(name)) return false;
  figures.numbers.emplace_back(name, *value);
  return true;
}

bool add_result(GuestResults& results, std::string_view line) {
  std::optional<std::string> arm = take_arm(line);
  if (!arm || results.find(*arm) != nullptr || results.results.size() == GuestResults::most_results)
    return false;
  GuestFigures figures{.arm = std::move(*arm), .numbers = {}};
  while (!line.empty()) {
    if (!add_number(figures, take_word(line))) return false;
  }
  results.results.push_back(std::move(figures));
  return true;
}

bool add_unavailable(GuestResults& results, std::string_view line) {
  const std::optional<std::string> arm = take_arm(line);
  constexpr std::string_view key = "why=";
  if (!arm || !line.starts_with(key) || results.unavailable.size() == GuestResults::most_results)
    return false;
  line.remove_prefix(key.size());
  if (line.empty() || line.size() > GuestResults::longest_why) return false;
  return results.unavailable.emplace(*arm, report::printable(line)).second;
}

}  // namespace

const GuestFigures* GuestResults::find(std::string_view arm) const noexcept {
  const auto found = std::find_if(results.begin(), results.end(),
                                  [=](const GuestFigures& figures) { return figures.arm == arm; });
  return found == results.end() ? nullptr : &*found;
}

std::optional<std::uint64_t> GuestResults::number(std::string_view arm,
                                                  std::string_view name) const noexcept {
  const GuestFigures* figures = find(arm);
  return figures == nullptr ? std::nullopt : figures->number(name);
}

std::optional<double> GuestResults::figure(std::string_view arm, std::string_view name) const noexcept {
  const std::optional<std::uint64_t> value = number(arm, name);
  return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}

GuestResults parse_guest_results(std::string_view console) {
  GuestResults results;
  while (!console.empty()) {
    const std::size_t end = std::min(console.find('\n'), console.size());
    std::string_view line = console.substr(0, end);
    console.remove_prefix(std::min(end + 1, console.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto add = line.starts_with("result ")        ? add_result
                     : line.starts_with("unavailable ") ? add_unavailable
                                                        : nullptr;
    if (add == nullptr) continue;
    take_word(line);
    if (!add(results, line)) ++results.malformed;
  }
  return results;
}

}  // namespace kvmbench::experiments
