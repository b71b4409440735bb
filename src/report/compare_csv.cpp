/// A comparison as comma-separated values.
#include <fmt/format.h>

#include "report/compare.hpp"
#include "report/csv_field.hpp"

namespace kvmbench::report {
namespace {

void add(std::string& out, const Comparison& comparison, std::string_view what, const ComparedRow& row) {
  for (std::size_t i = 0; i < row.sides.size(); ++i) {
    if (!row.sides[i]) continue;
    const Sums& sums = *row.sides[i];
    out += fmt::format("{},{},{},{},{},{},\n", csv_field(comparison.sides[i].label), what,
                       csv_field(row.name), sums.count, sums.service, sums.run);
  }
}

}  // namespace

std::string to_csv(const Comparison& comparison) {
  std::string out = "side,what,name,count,service_sum_cycles,run_sum_cycles,out_of_guest_ns\n";
  for (const ComparedRow& row : comparison.reasons) add(out, comparison, "reason", row);
  for (const ComparedRow& row : comparison.keys) add(out, comparison, "key", row);
  for (const ComparedHardwareRow& row : comparison.hardware_reasons) {
    for (std::size_t i = 0; i < row.sides.size(); ++i) {
      if (!row.sides[i]) continue;
      out += fmt::format("{},hardware reason,{},{},,,{}\n", csv_field(comparison.sides[i].label),
                         csv_field(row.name), row.sides[i]->count, row.sides[i]->nanoseconds);
    }
  }
  for (const ComparedOperation& operation : comparison.operations) {
    for (std::size_t i = 0; i < operation.sides.size(); ++i) {
      if (!operation.sides[i]) continue;
      const ServiceSide& side = *operation.sides[i];
      out += fmt::format("{},operation,{},{},{},{},{}\n", csv_field(comparison.sides[i].label),
                         csv_field(operation.service + ' ' + operation.operation), side.count,
                         side.exits.service, side.exits.run,
                         side.out_of_guest ? std::to_string(*side.out_of_guest) : "");
    }
  }
  return out;
}

}  // namespace kvmbench::report
