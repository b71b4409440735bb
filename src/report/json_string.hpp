/// Strings in a JSON text. (RFC 8259, section 7)
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace kvmbench::report {

/// How many bytes of `text` are characters that stand for themselves, in well-formed UTF-8 (RFC 3629, section
/// 4): up to a quote, a backslash, a control character, or a byte that is no UTF-8.
[[nodiscard]] std::size_t plain_characters(std::string_view text);

/// Takes an escape sequence, which begins with a backslash, from the beginning of `text`, and appends what it
/// stands for, as UTF-8. False where it is none; half a surrogate pair is none.
[[nodiscard]] bool take_escape(std::string_view& text, std::string& to);

}  // namespace kvmbench::report
