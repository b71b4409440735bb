#include "report/markdown_page.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "report/printable.hpp"

namespace kvmbench::report {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '|':
      case '\\':
      case '`':
      case '*':
      case '[':
      case ']':
      case '~':
        out += '\\';
        [[fallthrough]];
      default:
        out += c;
    }
  }
  return out;
}

std::string code(std::string_view text) {
  std::string out = printable(text);
  std::replace(out.begin(), out.end(), '`', '\'');
  return out.empty() ? out : '`' + out + '`';
}

std::string code_cell(std::string_view text) {
  std::string out;
  for (const char c : code(text)) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string bold(const std::string& text) {
  return text.empty() ? text : "**" + text + "**";
}

std::string markdown_row(const std::vector<std::string>& cells) {
  std::string row;
  for (const std::string& cell : cells) row += "| " + cell + ' ';
  return row + "|\n";
}

std::string markdown_titles(const std::vector<MarkdownColumn>& columns) {
  std::string titles = "\n";
  for (const MarkdownColumn& column : columns) titles += fmt::format("| {} ", column.title);
  titles += "|\n";
  for (const MarkdownColumn& column : columns)
    titles += column.align == MarkdownColumn::Align::left ? "| --- " : "| ---: ";
  return titles + "|\n";
}

}  // namespace kvmbench::report
