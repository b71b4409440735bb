/// A table with what is said of it, which every format shows alike.
#pragma once

#include <string>
#include <vector>

#include "report/html/page.hpp"
#include "report/text_page.hpp"

namespace kvmbench::report {

struct PlainColumn {
  std::string title;
  bool words = false;    ///< not figures
  unsigned dropped = 0;  ///< TextColumn::dropped
};

struct PlainTable {
  std::string id;     ///< of its element in HTML, and its title in CSV: "hardware-reasons"
  std::string title;  ///< "Hardware exits by reason"
  std::vector<PlainColumn> columns;
  std::vector<std::vector<Cell>> rows;  ///< none: the sentences stand alone
  std::vector<Cell> total;              ///< may be empty
  std::vector<std::string> sentences;   ///< below it
};

void add_text(TextPage& page, const PlainTable& table);
[[nodiscard]] std::string markdown(const PlainTable& table);
[[nodiscard]] std::string html(const PlainTable& table);
/// After an empty line: titles and rows, with exact values. Nothing where there are no rows.
[[nodiscard]] std::string csv(const PlainTable& table);

}  // namespace kvmbench::report
