#include "report/kernel_view.hpp"

#include "report/counter_tables.hpp"
#include "report/hardware_tables.hpp"

namespace kvmbench::report {

std::vector<PlainTable> kernel_tables(const Report& report) {
  std::vector<PlainTable> tables = hardware_tables(report);
  for (PlainTable& table : counter_tables(report.snapshot)) tables.push_back(std::move(table));
  return tables;
}

}  // namespace kvmbench::report
