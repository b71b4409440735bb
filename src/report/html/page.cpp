#include "report/html/page.hpp"

#include <fmt/format.h>

#include "report/chart/drawing.hpp"
#include "report/html/assets.hpp"
#include "report/markup.hpp"

namespace kvmbench::report {

std::string page(std::string_view title, std::string_view body, unsigned reload_seconds) {
  const std::string reload =
      reload_seconds == 0 ? ""
                          : fmt::format("<meta http-equiv=\"refresh\" content=\"{}\">\n", reload_seconds);
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "script-src 'unsafe-inline'; img-src data:\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n{}"
      "<title>{}</title>\n<style>{}{}</style>\n</head>\n<body>\n<main>\n{}</main>\n"
      "<script>{}</script>\n</body>\n</html>\n",
      reload, markup_escaped(title), chart_style(), page_style(), body, page_script());
}

Cell figure(std::string text, std::uint64_t value) {
  return {std::move(text), fmt::to_string(value)};
}

Cell figure(std::string text, double value) {
  return {std::move(text), fmt::format("{}", value)};
}

HtmlTable::HtmlTable(std::string_view id, const std::vector<std::string>& columns) : id_(id) {
  for (const std::string& column : columns) {
    is_figure_.push_back(column.starts_with('#'));
    columns_.push_back(column.substr(is_figure_.back() ? 1 : 0));
  }
}

std::string HtmlTable::row(const std::vector<Cell>& cells) const {
  std::string html = "<tr>";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    html += is_figure_[i] ? "<td class=\"figure\"" : "<td";
    if (!cells[i].value.empty()) html += fmt::format(" data-value=\"{}\"", markup_escaped(cells[i].value));
    html += fmt::format(">{}</td>", markup_escaped(cells[i].text));
  }
  return html + "</tr>\n";
}

void HtmlTable::add(const std::vector<Cell>& cells) {
  body_ += row(cells);
}

void HtmlTable::set_total(const std::vector<Cell>& cells) {
  total_ = row(cells);
}

std::string HtmlTable::render() const {
  std::string head;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    head += fmt::format("<th scope=\"col\"{}>{}</th>", is_figure_[i] ? " class=\"figure\"" : "",
                        markup_escaped(columns_[i]));
  }
  return fmt::format(
      "<div class=\"wide\"><table id=\"{}\" class=\"sortable\">\n<thead><tr>{}</tr></thead>\n<tbody>\n{}"
      "</tbody>\n{}</table></div>\n",
      id_, head, body_, total_.empty() ? "" : "<tfoot>\n" + total_ + "</tfoot>\n");
}

std::string section(std::string_view id, std::string_view heading, std::string_view content) {
  return fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n{}</section>\n", id, markup_escaped(heading),
                     content);
}

std::string paragraph(std::string_view text) {
  return fmt::format("<p>{}</p>\n", markup_escaped(text));
}

std::string facts_table(std::string_view id, const Facts& facts) {
  std::string rows;
  for (const auto& [name, fact] : facts) {
    rows += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", markup_escaped(name),
                        markup_escaped(fact));
  }
  return fmt::format("<div class=\"wide\"><table id=\"{}\" class=\"facts\">\n{}</table></div>\n", id, rows);
}

}  // namespace kvmbench::report
