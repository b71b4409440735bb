#include "report/json_string.hpp"

#include <charconv>
#include <cstdint>

namespace kvmbench::report {
namespace {

using Byte = unsigned char;

constexpr bool is_continuation(char c) {
  return (static_cast<Byte>(c) & 0xc0) == 0x80;
}

/// Bytes of the well-formed character of more than one byte that `text` begins with; 0 where there is none.
/// (RFC 3629, section 4: no overlong forms, no surrogates, nothing above U+10FFFF)
std::size_t long_character(std::string_view text) {
  const auto byte = [text](std::size_t i) { return i < text.size() ? static_cast<Byte>(text[i]) : Byte{0}; };
  const Byte lead = byte(0), second = byte(1);
  if (lead >= 0xc2 && lead <= 0xdf) return text.size() >= 2 && is_continuation(text[1]) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const Byte least = lead == 0xe0 ? 0xa0 : 0x80, most = lead == 0xed ? 0x9f : 0xbf;
    return second >= least && second <= most && text.size() >= 3 && is_continuation(text[2]) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const Byte least = lead == 0xf0 ? 0x90 : 0x80, most = lead == 0xf4 ? 0x8f : 0xbf;
    const bool whole = text.size() >= 4 && is_continuation(text[2]) && is_continuation(text[3]);
    return second >= least && second <= most && whole ? 4 : 0;
  }
  return 0;
}

/// The four digits after "\u".
std::optional<std::uint32_t> hexadecimal(std::string_view text) {
  if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return std::nullopt;
  std::uint32_t value = 0;
  const char* end = text.data() + 6;
  const auto parsed = std::from_chars(text.data() + 2, end, value, 16);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return value;
}

void append_utf8(std::uint32_t character, std::string& to) {
  const auto tail = [&](unsigned shift) { to += static_cast<char>(0x80 | ((character >> shift) & 0x3f)); };
  if (character < 0x80) {
    to += static_cast<char>(character);
  } else if (character < 0x800) {
    to += static_cast<char>(0xc0 | (character >> 6));
    tail(0);
  } else if (character < 0x10000) {
    to += static_cast<char>(0xe0 | (character >> 12));
    tail(6);
    tail(0);
  } else {
    to += static_cast<char>(0xf0 | (character >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

bool take_character(std::string_view& text, std::string& to) {
  const auto first = hexadecimal(text);
  if (!first) return false;
  text.remove_prefix(6);
  if (*first < 0xd800 || *first > 0xdfff) {
    append_utf8(*first, to);
    return true;
  }
  const auto second = hexadecimal(text);
  if (*first > 0xdbff || !second || *second < 0xdc00 || *second > 0xdfff) return false;
  text.remove_prefix(6);
  append_utf8(0x10000 + ((*first - 0xd800) << 10) + (*second - 0xdc00), to);
  return true;
}

}  // namespace

std::size_t plain_characters(std::string_view text) {
  std::size_t taken = 0;
  while (taken < text.size()) {
    const auto c = static_cast<Byte>(text[taken]);
    if (c == '"' || c == '\\' || c < 0x20) break;
    const std::size_t bytes = c < 0x80 ? 1 : long_character(text.substr(taken));
    if (bytes == 0) break;
    taken += bytes;
  }
  return taken;
}

bool take_escape(std::string_view& text, std::string& to) {
  constexpr std::string_view names = "\"\\/bfnrt", characters = "\"\\/\b\f\n\r\t";
  if (text.size() < 2) return false;
  if (text[1] == 'u') return take_character(text, to);
  const std::size_t which = names.find(text[1]);
  if (which == std::string_view::npos) return false;
  to += characters[which];
  text.remove_prefix(2);
  return true;
}

}  // namespace kvmbench::report
