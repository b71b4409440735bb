/// Text from anywhere, made fit for a terminal and measured in its columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kvmbench::report {

/// Valid UTF-8 without control characters: those, bytes that are not UTF-8 and characters that reorder or
/// hide text are written as \x1b or \u202e.
[[nodiscard]] std::string printable(std::string_view text);

// The functions below take printable text.

/// Columns that it takes on a terminal.
[[nodiscard]] unsigned display_width(std::string_view text);
/// Cut to `width` columns, with an ellipsis for what is missing.
[[nodiscard]] std::string cut(std::string_view text, unsigned width);
/// Lines of at most `width` columns (at least 1), broken at spaces where there are any.
[[nodiscard]] std::vector<std::string> wrap(std::string_view text, unsigned width);

}  // namespace kvmbench::report
