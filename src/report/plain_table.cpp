#include "report/plain_table.hpp"

#include <fmt/format.h>

#include "report/csv_field.hpp"
#include "report/markdown_page.hpp"
#include "report/printable.hpp"

namespace kvmbench::report {
namespace {

std::vector<std::string> texts_of(const std::vector<Cell>& cells, const auto& shown) {
  std::vector<std::string> texts;
  for (const Cell& cell : cells) texts.push_back(shown(cell.text));
  return texts;
}

std::string exact(const Cell& cell) {
  return csv_field(cell.value.empty() ? cell.text : cell.value);
}

}  // namespace

void add_text(TextPage& page, const PlainTable& plain) {
  page.heading(plain.title);
  if (!plain.rows.empty()) {
    std::vector<TextColumn> columns;
    for (const PlainColumn& column : plain.columns) {
      columns.push_back({.title = column.title,
                         .align = column.words ? TextColumn::Align::left : TextColumn::Align::right,
                         .dropped = column.dropped});
    }
    TextTable table(std::move(columns));
    for (const std::vector<Cell>& row : plain.rows) table.add(texts_of(row, printable));
    if (!plain.total.empty()) table.set_total(texts_of(plain.total, printable));
    page.table(table);
  }
  for (const std::string& sentence : plain.sentences) page.paragraph(sentence);
}

std::string markdown(const PlainTable& plain) {
  std::string out = fmt::format("\n### {}\n", escaped(plain.title));
  if (!plain.rows.empty()) {
    std::vector<MarkdownColumn> columns;
    for (const PlainColumn& column : plain.columns) {
      columns.push_back(
          {column.title.c_str(), column.words ? MarkdownColumn::Align::left : MarkdownColumn::Align::right});
    }
    out += markdown_titles(columns);
    for (const std::vector<Cell>& row : plain.rows) out += markdown_row(texts_of(row, escaped));
    if (!plain.total.empty()) out += markdown_row(texts_of(plain.total, escaped));
  }
  if (!plain.sentences.empty()) out += '\n';
  for (const std::string& sentence : plain.sentences) out += escaped(sentence) + '\n';
  return out;
}

std::string html(const PlainTable& plain) {
  std::string content;
  if (!plain.rows.empty()) {
    std::vector<std::string> columns;
    for (const PlainColumn& column : plain.columns)
      columns.push_back(column.words ? column.title : '#' + column.title);
    HtmlTable table(plain.id + "-table", columns);
    for (const std::vector<Cell>& row : plain.rows) table.add(row);
    if (!plain.total.empty()) table.set_total(plain.total);
    content += table.render();
  }
  for (const std::string& sentence : plain.sentences) content += paragraph(sentence);
  return section(plain.id, plain.title, content);
}

std::string csv(const PlainTable& plain) {
  if (plain.rows.empty()) return {};
  std::string out = "\n";
  const auto line = [&out](const std::vector<Cell>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) out += (i == 0 ? "" : ",") + exact(cells[i]);
    out += '\n';
  };
  std::vector<Cell> titles;
  for (const PlainColumn& column : plain.columns) titles.push_back({plain.id + ' ' + column.title, ""});
  line(titles);
  for (const std::vector<Cell>& row : plain.rows) line(row);
  return out;
}

}  // namespace kvmbench::report
