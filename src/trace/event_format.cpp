#include "trace/event_format.hpp"

#include <algorithm>
#include <charconv>

namespace kvmbench::trace {
namespace {

/// What stands between `before` and the next `after` in `line`.
std::optional<std::string_view> between(std::string_view line, std::string_view before, char after) {
  const std::size_t at = line.find(before);
  if (at == std::string_view::npos) return std::nullopt;
  line.remove_prefix(at + before.size());
  return line.substr(0, line.find(after));
}

template <typename Number>
std::optional<Number> number(std::optional<std::string_view> text) {
  Number value{};
  if (!text) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return value;
}

/// Of C, whose structures these are.
bool is_identifier(std::string_view text) {
  constexpr std::string_view characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

/// "field:unsigned long rip;	offset:16;	size:8;	signed:0;". An array's name is followed by its length.
std::optional<EventField> parse_field(std::string_view line) {
  const auto declaration = between(line, "field:", ';');
  const auto offset = number<std::uint32_t>(between(line, "\toffset:", ';'));
  const auto size = number<std::uint32_t>(between(line, "\tsize:", ';'));
  if (!declaration || !offset || !size) return std::nullopt;
  const std::string_view scalar = declaration->substr(0, declaration->find('['));
  const std::string_view name = scalar.substr(scalar.find_last_of(" *") + 1);
  if (!is_identifier(name)) return std::nullopt;
  return EventField{std::string(name), *offset, *size};
}

}  // namespace

const EventField* EventFormat::find(std::string_view name) const noexcept {
  const auto at =
      std::find_if(fields.begin(), fields.end(), [=](const EventField& field) { return field.name == name; });
  return at == fields.end() ? nullptr : &*at;
}

std::optional<EventFormat> EventFormat::parse(std::string_view text) {
  EventFormat format;
  std::optional<std::uint64_t> id;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.starts_with("print fmt:")) break;
    if (line.starts_with("ID: ")) id = number<std::uint64_t>(line.substr(4));
    if (auto field = parse_field(line)) format.fields.push_back(std::move(*field));
  }
  if (!id) return std::nullopt;
  format.id = *id;
  return format;
}

}  // namespace kvmbench::trace
