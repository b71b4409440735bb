/// What Markdown reports are written with (GitHub Flavored Markdown).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kvmbench::report {

/// As text of a table's cell: nothing in it is markup.
[[nodiscard]] std::string escaped(std::string_view text);
/// As a code span, in which "@hello" mentions nobody and "#1" links to nothing.
[[nodiscard]] std::string code(std::string_view text);
/// As a code span in a table, where it knows one escape, that of the pipe.
[[nodiscard]] std::string code_cell(std::string_view text);
[[nodiscard]] std::string bold(const std::string& text);

struct MarkdownColumn {
  enum class Align { left, right };

  std::string title;
  Align align = Align::right;
};

/// A line of a table, with its newline; cells are Markdown.
[[nodiscard]] std::string markdown_row(const std::vector<std::string>& cells);
/// What a table begins with, with the empty line before it.
[[nodiscard]] std::string markdown_titles(const std::vector<MarkdownColumn>& columns);

}  // namespace kvmbench::report
