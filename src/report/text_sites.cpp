/// Where in the guest exits came from.
#include "report/printable.hpp"
#include "report/sites.hpp"
#include "report/text_sections.hpp"

namespace kvmbench::report {

void sites_section(TextPage& page, const Report& report) {
  constexpr std::size_t most_of_a_key = 3;
  const std::vector<SiteRow> rows = top_sites(report, most_of_a_key);
  if (rows.empty()) return;
  using Align = TextColumn::Align;
  page.heading("Where exits came from");
  TextTable table({{.title = "key", .align = Align::left, .widest = 32},
                   {.title = "instruction", .align = Align::left, .widest = 48},
                   {.title = "count"},
                   {.title = "% of key", .dropped = 1},
                   {.title = "service", .dropped = 2}});
  for (const SiteRow& row : rows) {
    table.add({printable(row.key), printable(row.place), grouped(row.count), per_cent(row.count, row.of_key),
               page.time(row.service)});
  }
  page.table(table);
  page.paragraph(
      "Of each key, the instructions that most of its exits came from. KVM may name the instruction after.");
}

}  // namespace kvmbench::report
