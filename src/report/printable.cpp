#include "report/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace kvmbench::report {
namespace {

struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

/// The first character of `text`, by table 3-7 (well-formed UTF-8) of the Unicode Standard.
Character decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {};
  char32_t code = lead & (0x7fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0u) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3fu);
  }
  constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  if (code < least[bytes] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return {};
  return {code, bytes, true};
}

struct Range {
  char32_t first, last;
};

template <std::size_t n>
bool in(const std::array<Range, n>& ranges, char32_t code) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [=](const Range& range) { return code >= range.first && code <= range.last; });
}

// C0, DEL and C1; soft hyphen; zero width and direction marks; line separators and embeddings; word joiner to
// deprecated format characters; byte order mark; interlinear annotation; tags.
constexpr std::array<Range, 10> hidden{{{0, 0x1f},
                                        {0x7f, 0x9f},
                                        {0xad, 0xad},
                                        {0x61c, 0x61c},
                                        {0x200b, 0x200f},
                                        {0x2028, 0x202e},
                                        {0x2060, 0x206f},
                                        {0xfeff, 0xfeff},
                                        {0xfff9, 0xfffb},
                                        {0xe0000, 0xe0fff}}};
constexpr std::array<Range, 5> combining{
    {{0x300, 0x36f}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe00, 0xfe2f}}};
constexpr std::array<Range, 9> wide{{{0x1100, 0x115f},
                                     {0x2e80, 0xa4cf},
                                     {0xac00, 0xd7a3},
                                     {0xf900, 0xfaff},
                                     {0xfe30, 0xfe6f},
                                     {0xff00, 0xff60},
                                     {0xffe0, 0xffe6},
                                     {0x1f300, 0x1faff},
                                     {0x20000, 0x3fffd}}};

unsigned width_of(char32_t code) {
  return in(combining, code) ? 0 : in(wide, code) ? 2 : 1;
}

/// Bytes of the longest start of `text` that takes at most `width` columns.
std::size_t bytes_within(std::string_view text, unsigned width) {
  std::size_t at = 0;
  for (unsigned used = 0; at < text.size();) {
    const Character character = decode(text.substr(at));
    used += width_of(character.code);
    if (used > width) break;
    at += character.bytes;
  }
  return at;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Character character = decode(text.substr(at));
    if (!character.valid || (character.code < 0x80 && in(hidden, character.code))) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at]));
    } else if (in(hidden, character.code)) {
      out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(character.code));
    } else {
      out += text.substr(at, character.bytes);
    }
    at += character.bytes;
  }
  return out;
}

unsigned display_width(std::string_view text) {
  unsigned width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Character character = decode(text.substr(at));
    width += width_of(character.code);
    at += character.bytes;
  }
  return width;
}

std::string cut(std::string_view text, unsigned width) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0) return {};
  return std::string(text.substr(0, bytes_within(text, width - 1))) + "…";
}

std::vector<std::string> wrap(std::string_view text, unsigned width) {
  std::vector<std::string> lines;
  while (display_width(text) > width) {
    // A character wider than the line stands alone rather than never.
    const std::size_t fits = std::max(bytes_within(text, width), decode(text).bytes);
    const std::size_t space = text.substr(0, fits + 1).rfind(' ');
    const bool at_space = space != std::string_view::npos && space != 0;
    lines.emplace_back(text.substr(0, at_space ? space : fits));
    text.remove_prefix(at_space ? space + 1 : fits);
  }
  if (!text.empty() || lines.empty()) lines.emplace_back(text);
  return lines;
}

}  // namespace kvmbench::report
