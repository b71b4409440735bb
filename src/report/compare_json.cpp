/// A comparison as JSON, docs/comparison.schema.json.
#include "report/compare.hpp"
#include "report/json_text.hpp"

namespace kvmbench::report {
namespace {

using Json = WrittenJson;

Json differences_value(const std::vector<FactDifference>& differences) {
  Json value = Json::array();
  for (const FactDifference& fact : differences)
    value.push_back({{"name", fact.name}, {"values", fact.values}});
  return value;
}

Json sums_value(const Sums& sums) {
  return {{"count", sums.count}, {"service", sums.service}, {"run", sums.run}};
}

class ComparisonJson final {
 public:
  explicit ComparisonJson(const Comparison& comparison) : comparison_(comparison) {}

  [[nodiscard]] Json value() const {
    Json sides = Json::array();
    for (std::size_t i = 0; i < comparison_.sides.size(); ++i) sides.push_back(side_value(i));
    Json operations = Json::array();
    for (const ComparedOperation& operation : comparison_.operations)
      operations.push_back(operation_value(operation));
    return {{"format", "kvmbench-comparison"},
            {"version", 1},
            {"sides", std::move(sides)},
            {"host_differences", differences_value(comparison_.host)},
            {"machine_differences", differences_value(comparison_.machine)},
            {"per", per_value()},
            {"total", row_value(comparison_.total)},
            {"by_reason", rows_value(comparison_.reasons)},
            {"by_key", rows_value(comparison_.keys)},
            {"by_hardware_reason", hardware_value()},
            {"operations", std::move(operations)}};
  }

 private:
  [[nodiscard]] Json side_value(std::size_t index) const {
    const Report& report = *comparison_.sides[index].report;
    return {{"label", comparison_.sides[index].label},
            {"started", report.started},
            {"ending", report.ending},
            {"exit_status", report.exit_status},
            {"runs", report.runs},
            {"tsc_khz", report.snapshot.tsc_khz},
            {"paging", paging_of(report)},
            {"hardware_exits", or_null(comparison_.hardware_exits[index])}};
  }

  [[nodiscard]] Json per_value() const {
    if (comparison_.counts.empty()) return nullptr;
    return {{"operation", comparison_.per}, {"counts", comparison_.counts}};
  }

  [[nodiscard]] Json row_value(const ComparedRow& row) const {
    Json sides = Json::array();
    for (const std::optional<Sums>& side : row.sides)
      sides.push_back(side ? sums_value(*side) : Json(nullptr));
    Json value{{"name", row.name}, {"sides", std::move(sides)}};
    if (row.sides.size() != 2) return value;
    const bool both = row.sides[0] && row.sides[1];
    value["count_ratio"] = or_null(count_ratio(row.sides[0], row.sides[1]));
    value["service_ratio"] =
        both ? or_null(time_ratio(comparison_, row.sides[0]->service, row.sides[1]->service)) : Json(nullptr);
    return value;
  }

  [[nodiscard]] Json rows_value(const std::vector<ComparedRow>& rows) const {
    Json value = Json::array();
    for (const ComparedRow& row : rows) value.push_back(row_value(row));
    return value;
  }

  [[nodiscard]] Json hardware_value() const {
    Json value = Json::array();
    for (const ComparedHardwareRow& row : comparison_.hardware_reasons) {
      Json sides = Json::array();
      for (const std::optional<HardwareSums>& side : row.sides) {
        if (side) {
          sides.push_back({{"count", side->count}, {"nanoseconds", side->nanoseconds}});
        } else {
          sides.push_back(nullptr);
        }
      }
      value.push_back({{"name", row.name}, {"sides", std::move(sides)}});
    }
    return value;
  }

  [[nodiscard]] static Json operation_value(const ComparedOperation& operation) {
    Json sides = Json::array();
    for (const std::optional<ServiceSide>& side : operation.sides) {
      if (!side) {
        sides.push_back(nullptr);
        continue;
      }
      Json value{{"devices", side->devices},
                 {"count", side->count},
                 {"exits", sums_value(side->exits)},
                 {"out_of_guest", or_null(side->out_of_guest)}};
      sides.push_back(std::move(value));
    }
    return {{"service", operation.service}, {"operation", operation.operation}, {"sides", std::move(sides)}};
  }

  const Comparison& comparison_;
};

}  // namespace

std::string to_json(const Comparison& comparison) {
  constexpr unsigned levels_to_a_row = 2;
  return json_text(ComparisonJson(comparison).value(), levels_to_a_row);
}

}  // namespace kvmbench::report
