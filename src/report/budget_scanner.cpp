#include "report/budget_scanner.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "report/printable.hpp"

namespace kvmbench::report {
namespace {

constexpr std::string_view spaces = " \t\r";

}  // namespace

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(spaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(spaces) - first + 1);
}

std::string_view without_comment(std::string_view line) {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') quoted = !quoted;
    if (line[i] == '#' && !quoted) return line.substr(0, i);
  }
  return line;
}

void BudgetScanner::refuse(const std::string& what) const {
  throw UsageError(fmt::format("{}: \"{}\": {}", place_, cut(printable(whole_), 100), printable(what)));
}

std::string BudgetScanner::rest_shown() const {
  return cut(printable(rest_), 20);
}

std::string_view BudgetScanner::taken(std::size_t size) {
  const std::string_view part = rest_.substr(0, size);
  rest_.remove_prefix(part.size());
  return part;
}

std::string_view BudgetScanner::while_in(std::string_view characters) {
  taken(std::min(rest_.find_first_not_of(spaces), rest_.size()));
  return taken(std::min(rest_.find_first_not_of(characters), rest_.size()));
}

bool BudgetScanner::take(std::string_view sign) {
  rest_ = rest_.substr(std::min(rest_.find_first_not_of(spaces), rest_.size()));
  if (!rest_.starts_with(sign)) return false;
  rest_.remove_prefix(sign.size());
  return true;
}

std::string_view BudgetScanner::word() {
  const std::string_view word = while_in("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
  if (word.empty()) refuse(fmt::format("a name belongs where \"{}\" is", rest_shown()));
  return word;
}

std::string_view BudgetScanner::digits() {
  return while_in("0123456789.");
}

std::vector<std::string> BudgetScanner::words(std::string_view of) {
  if (!take("(")) refuse(fmt::format("\"{}\" is followed by \"(\"", of));
  std::vector<std::string> words;
  while (!take(")")) {
    const bool quoted = take("\"");
    const std::size_t size = rest_.find_first_of(quoted ? "\"" : " \t\r)");
    if (size == std::string_view::npos) refuse(quoted ? "a quote is not closed" : "\")\" is missing");
    words.emplace_back(taken(size));
    if (quoted) taken(1);
  }
  if (words.empty()) refuse(fmt::format("there is nothing in {}()", of));
  return words;
}

}  // namespace kvmbench::report
