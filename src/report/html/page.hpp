/// The frame of a page and the parts that pages are made of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "report/report.hpp"

namespace kvmbench::report {

/// A page with the project's styles and script; `body` as it is. `title` is text.
[[nodiscard]] std::string page(std::string_view title, std::string_view body, unsigned reload_seconds = 0);

/// A cell of a table. A figure's exact value sorts it.
struct Cell {
  std::string text;
  std::string value;  ///< exact; "" where the cell is text
};
[[nodiscard]] Cell figure(std::string text, std::uint64_t value);
[[nodiscard]] Cell figure(std::string text, double value);

/// A table whose columns sort and whose rows filter where scripts run.
class HtmlTable final {
 public:
  /// `id` is the element's, `columns` are the titles; those of figures begin with '#', which is not shown.
  HtmlTable(std::string_view id, const std::vector<std::string>& columns);
  void add(const std::vector<Cell>& row);
  /// The last row, which neither sorts nor filters.
  void set_total(const std::vector<Cell>& row);
  [[nodiscard]] std::string render() const;

 private:
  [[nodiscard]] std::string row(const std::vector<Cell>& cells) const;

  std::string id_;
  std::vector<std::string> columns_;
  std::vector<bool> is_figure_;
  std::string body_;
  std::string total_;
};

/// <section> with a heading. `content` as it is.
[[nodiscard]] std::string section(std::string_view id, std::string_view heading, std::string_view content);
/// <p> with text.
[[nodiscard]] std::string paragraph(std::string_view text);
/// A table of names and what they are.
[[nodiscard]] std::string facts_table(std::string_view id, const Facts& facts);

}  // namespace kvmbench::report
