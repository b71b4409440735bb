/// What devices have done, and the exits each operation took.
#include "report/operations.hpp"
#include "report/printable.hpp"
#include "report/text_sections.hpp"

namespace kvmbench::report {

void operations_section(TextPage& page, const Report& report) {
  const std::vector<OperationRow> rows = operation_rows(report);
  if (rows.empty()) return;
  using Align = TextColumn::Align;
  page.heading("Operations of devices");
  TextTable table({{.title = "operation", .align = Align::left},
                   {.title = "count"},
                   {.title = "exits", .dropped = 3},
                   {.title = "exits each", .dropped = 1},
                   {.title = "service each", .dropped = 2}});
  for (const OperationRow& row : rows) {
    table.add({printable(row.device + ' ' + row.operation), grouped(row.count), grouped(row.exits.count),
               ratio(row.exits_each()), row.service_each() ? page.time(*row.service_each()) : "-"});
  }
  page.table(table);
  page.paragraph(
      "Exits and service time are those at the device's registers, for each of its operations alike.");
}

}  // namespace kvmbench::report
