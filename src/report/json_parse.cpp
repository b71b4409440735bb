#include "report/json_parse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/error.hpp"
#include "report/json_string.hpp"
#include "report/printable.hpp"

namespace kvmbench::report {
namespace {

using Type = JsonValue::Type;

class Parser final {
 public:
  Parser(std::string_view text, const std::string& name) : text_(text), rest_(text), name_(name) {}

  JsonDocument parse() {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (rest_.starts_with(byte_order_mark)) rest_.remove_prefix(byte_order_mark.size());
    // A value takes two bytes of text at least; as many as that are not there at once in a report.
    document_.values.reserve(text_.size() / 6 + 1);
    value(0);
    skip_space();
    if (!rest_.empty()) fail("something follows the document");
    return std::move(document_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    const std::string_view before = text_.substr(0, text_.size() - rest_.size());
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const std::size_t line_begin = before.rfind('\n') + 1;  // 0 where there is none
    throw UsageError(fmt::format("{}: not JSON: line {}, column {}: {}", name_, lines + 1,
                                 before.size() - line_begin + 1, what));
  }

  [[noreturn]] void refuse(const std::string& what) const {
    throw UsageError(fmt::format("{}: not a kvmbench report: {}", name_, what));
  }

  static std::string shown(std::string_view text) { return cut(printable(text), 40); }

  void skip_space() {
    std::size_t spaces = 0;
    while (spaces < rest_.size() &&
           (rest_[spaces] == ' ' || rest_[spaces] == '\n' || rest_[spaces] == '\r' || rest_[spaces] == '\t'))
      ++spaces;
    rest_.remove_prefix(spaces);
  }

  /// Whether the character came, after spaces, and was taken.
  bool take(char character) {
    skip_space();
    if (rest_.empty() || rest_.front() != character) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// The index of a new value; others may follow before it is complete.
  std::uint32_t begin(Type type) {
    const auto index = static_cast<std::uint32_t>(document_.values.size());
    document_.values.emplace_back().type = type;
    return index;
  }

  void end(std::uint32_t index) {
    document_.values[index].next = static_cast<std::uint32_t>(document_.values.size());
  }

  void value(unsigned depth) {
    skip_space();
    const char first = rest_.empty() ? '\0' : rest_.front();
    if (first == '{' || first == '[') {
      if (depth >= deepest_json) refuse("nested too deeply");
      rest_.remove_prefix(1);
      first == '{' ? object(depth) : array(depth);
    } else if (first == '"') {
      string();
    } else if (first == '-' || (first >= '0' && first <= '9')) {
      number();
    } else {
      word();
    }
  }

  void object(unsigned depth) {
    const std::uint32_t index = begin(Type::object);
    std::uint32_t members = 0;
    if (!take('}')) {
      do {
        skip_space();
        if (rest_.empty() || rest_.front() != '"') fail("a member's name is missing");
        string();
        if (!take(':')) fail("a colon is missing");
        value(depth + 1);
        ++members;
      } while (take(','));
      if (!take('}')) fail("a comma or \"}\" is missing");
    }
    document_.values[index].size = members;
    end(index);
    check_names(index);
  }

  void array(unsigned depth) {
    const std::uint32_t index = begin(Type::array);
    std::uint32_t elements = 0;
    if (!take(']')) {
      do {
        value(depth + 1);
        ++elements;
      } while (take(','));
      if (!take(']')) fail("a comma or \"]\" is missing");
    }
    document_.values[index].size = elements;
    end(index);
  }

  /// No member comes twice.
  void check_names(std::uint32_t index) {
    const std::vector<JsonValue>& values = document_.values;
    names_.clear();
    for (std::uint32_t at = index + 1; at < values[index].next; at = values[at + 1].next)
      names_.push_back(values[at].text());
    std::sort(names_.begin(), names_.end());
    const auto twice = std::adjacent_find(names_.begin(), names_.end());
    if (twice != names_.end()) refuse(fmt::format("member \"{}\" comes twice in one object", shown(*twice)));
  }

  void string() {
    const std::uint32_t index = begin(Type::string);
    rest_.remove_prefix(1);
    std::string_view text = rest_.substr(0, plain_characters(rest_));
    rest_.remove_prefix(text.size());
    if (rest_.empty() || rest_.front() != '"') text = unescaped(text);
    rest_.remove_prefix(1);
    JsonValue& value = document_.values[index];
    value.string = text.data();
    value.size = static_cast<std::uint32_t>(text.size());
    end(index);
  }

  /// The whole string that begins with `text`, up to the quote.
  std::string_view unescaped(std::string_view text) {
    std::string whole(text);
    while (!rest_.empty() && rest_.front() == '\\') {
      if (!take_escape(rest_, whole)) fail("a string has an escape sequence that is none");
      const std::string_view more = rest_.substr(0, plain_characters(rest_));
      whole += more;
      rest_.remove_prefix(more.size());
    }
    if (rest_.empty()) fail("a string is not closed");
    if (rest_.front() != '"') fail("a string has a control character, or bytes that are no UTF-8");
    return document_.unescaped.emplace_back(std::move(whole));
  }

  std::size_t digits_from(std::size_t at) const {
    std::size_t end = at;
    while (end < rest_.size() && rest_[end] >= '0' && rest_[end] <= '9') ++end;
    return end - at;
  }

  /// RFC 8259, section 6.
  void number() {
    const std::uint32_t index = begin(Type::integer);
    const bool is_negative = rest_.front() == '-';
    std::size_t size = is_negative ? 1 : 0;
    const std::size_t whole = digits_from(size);
    if (whole == 0 || (whole > 1 && rest_[size] == '0')) fail("a number is no JSON number");
    size += whole;
    bool is_integer = true;
    if (size < rest_.size() && rest_[size] == '.') {
      const std::size_t fraction = digits_from(size + 1);
      if (fraction == 0) fail("a number has a point and no digit after it");
      size += 1 + fraction;
      is_integer = false;
    }
    if (size < rest_.size() && (rest_[size] == 'e' || rest_[size] == 'E')) {
      const bool sign = size + 1 < rest_.size() && (rest_[size + 1] == '+' || rest_[size + 1] == '-');
      const std::size_t exponent = digits_from(size + (sign ? 2 : 1));
      if (exponent == 0) fail("a number has no digit in its exponent");
      size += (sign ? 2 : 1) + exponent;
      is_integer = false;
    }
    const std::string_view digits = rest_.substr(0, size);
    JsonValue& value = document_.values[index];
    if (!(is_integer && (is_negative ? to(digits, value.negative) : to(digits, value.integer)))) {
      value.type = Type::real;
      if (!to(digits, value.real)) refuse(fmt::format("the number {} is out of range", shown(digits)));
    } else if (is_negative) {
      value.type = Type::negative;
    }
    rest_.remove_prefix(size);
    end(index);
  }

  template <typename Number>
  static bool to(std::string_view digits, Number& number) {
    return std::from_chars(digits.data(), digits.data() + digits.size(), number).ec == std::errc{};
  }

  void word() {
    struct Word {
      std::string_view text;
      Type type;
      std::uint64_t value;
    };
    constexpr Word words[] = {
        {"null", Type::null, 0}, {"true", Type::boolean, 1}, {"false", Type::boolean, 0}};
    for (const Word& known : words) {
      if (!rest_.starts_with(known.text)) continue;
      const std::uint32_t index = begin(known.type);
      document_.values[index].integer = known.value;
      rest_.remove_prefix(known.text.size());
      return end(index);
    }
    fail(rest_.empty() ? "it ends where a value belongs" : "a value is missing");
  }

  const std::string_view text_;
  std::string_view rest_;
  const std::string& name_;
  JsonDocument document_;
  std::vector<std::string_view> names_;  // of the object that is being checked
};

}  // namespace

JsonDocument parse_json(std::string_view text, const std::string& name) {
  if (text.size() > std::numeric_limits<std::uint32_t>::max())
    throw UsageError(fmt::format("{}: {} bytes are more than any report has", name, text.size()));
  return Parser(text, name).parse();
}

}  // namespace kvmbench::report
