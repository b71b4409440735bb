/// The parts that expressions of budgets are made of: signs, names, numbers and what stands in parentheses.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kvmbench::report {

/// Without spaces around it.
[[nodiscard]] std::string_view trimmed(std::string_view text);
/// Up to a "#" that is in no quotes.
[[nodiscard]] std::string_view without_comment(std::string_view line);

/// The whole text as a number, hexadecimal after "0x".
template <typename Number>
[[nodiscard]] std::optional<Number> number(std::string_view text) {
  const bool hexadecimal = text.starts_with("0x");
  if (hexadecimal) text.remove_prefix(2);
  Number value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, hexadecimal ? 16 : 10);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Takes an expression from its beginning; spaces before a part do not count.
class BudgetScanner {
 public:
  BudgetScanner(std::string_view text, const std::string& place) : whole_(text), rest_(text), place_(place) {}

  [[nodiscard]] std::string_view whole() const { return whole_; }
  [[nodiscard]] const std::string& place() const { return place_; }
  [[nodiscard]] std::string_view rest() const { return rest_; }
  /// What is left, as messages show it.
  [[nodiscard]] std::string rest_shown() const;

  /// Throws UsageError with the place and the expression.
  [[noreturn]] void refuse(const std::string& what) const;

  /// Whether `sign` came, and was taken.
  bool take(std::string_view sign);
  /// Letters, digits, "_" and "-".
  std::string_view word();
  /// Digits and points; empty if there are none.
  std::string_view digits();
  /// What stands in parentheses: words, of which one in quotes may hold anything but quotes.
  std::vector<std::string> words(std::string_view of);

 private:
  std::string_view taken(std::size_t size);
  std::string_view while_in(std::string_view characters);

  const std::string_view whole_;
  std::string_view rest_;
  const std::string& place_;
};

}  // namespace kvmbench::report
