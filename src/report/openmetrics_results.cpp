// What is found out once and not counted on, as OpenMetrics gauges: a comparison's sides, experiments'
// figures.

#include <fmt/format.h>

#include <variant>

#include "report/compare.hpp"
#include "report/experiment.hpp"
#include "report/openmetrics_text.hpp"
#include "report/units.hpp"

namespace kvmbench::report {
namespace {

constexpr std::string_view end_of_file = "# EOF\n";

/// The families of a comparison: each row of each side has a sample in some of them.
class Compared final {
 public:
  explicit Compared(const Comparison& comparison) : comparison_(comparison) {}

  void add(std::string_view what, const ComparedRow& row) {
    for (std::size_t i = 0; i < row.sides.size(); ++i) {
      if (!row.sides[i]) continue;
      const std::string labels = labels_of(i, what, row.name);
      exits_ += fmt::format("kvmbench_compared_exits{{{}}} {}\n", labels, row.sides[i]->count);
      add_times(i, labels, row.sides[i]->service, row.sides[i]->run);
    }
  }

  void add(const ComparedHardwareRow& row) {
    for (std::size_t i = 0; i < row.sides.size(); ++i) {
      if (!row.sides[i]) continue;
      const std::string labels = labels_of(i, "hardware reason", row.name);
      exits_ += fmt::format("kvmbench_compared_exits{{{}}} {}\n", labels, row.sides[i]->count);
      add_out_of_guest(labels, row.sides[i]->nanoseconds);
    }
  }

  void add(const ComparedOperation& operation) {
    for (std::size_t i = 0; i < operation.sides.size(); ++i) {
      if (!operation.sides[i]) continue;
      const ServiceSide& side = *operation.sides[i];
      const std::string labels = labels_of(i, "operation", operation.service + ' ' + operation.operation);
      operations_ += fmt::format("kvmbench_compared_operations{{{}}} {}\n", labels, side.count);
      exits_ += fmt::format("kvmbench_compared_exits{{{}}} {}\n", labels, side.exits.count);
      add_times(i, labels, side.exits.service, side.exits.run);
      if (side.out_of_guest) add_out_of_guest(labels, *side.out_of_guest);
    }
  }

  [[nodiscard]] std::string render() const {
    return render("kvmbench_compared_exits", "", "Exits under this name on this side.", exits_) +
           render("kvmbench_compared_operations", "", "What devices have done, by their own count.",
                  operations_) +
           render("kvmbench_compared_service_seconds", "seconds",
                  "Time from returns of KVM_RUN to the next KVM_RUN.", service_) +
           render("kvmbench_compared_run_seconds", "seconds", "Time in KVM_RUN.", run_) +
           render("kvmbench_compared_out_of_guest_seconds", "seconds",
                  "Time from hardware exits to the next entry.", out_of_guest_) +
           std::string(end_of_file);
  }

 private:
  static std::string render(std::string_view name, std::string_view unit, std::string_view help,
                            const std::string& samples) {
    return samples.empty() ? "" : family(name, "gauge", unit, help) + samples;
  }

  /// Files of one name may be compared: the side's number tells them apart.
  [[nodiscard]] std::string labels_of(std::size_t side, std::string_view what, std::string_view name) const {
    return fmt::format("side=\"{}\",label=\"{}\",what=\"{}\",name=\"{}\"", side + 1,
                       label_value(comparison_.sides[side].label), what, label_value(name));
  }

  void add_times(std::size_t side, const std::string& labels, stats::Cycles service, stats::Cycles run) {
    const Clock clock(comparison_.sides[side].report->snapshot.tsc_khz);
    if (!clock.known()) return;
    service_ += fmt::format("kvmbench_compared_service_seconds{{{}}} {}\n", labels,
                            clock.seconds(static_cast<double>(service)));
    run_ += fmt::format("kvmbench_compared_run_seconds{{{}}} {}\n", labels,
                        clock.seconds(static_cast<double>(run)));
  }

  void add_out_of_guest(const std::string& labels, std::uint64_t nanoseconds) {
    out_of_guest_ += fmt::format("kvmbench_compared_out_of_guest_seconds{{{}}} {}\n", labels,
                                 static_cast<double>(nanoseconds) * 1e-9);
  }

  const Comparison& comparison_;
  std::string exits_, operations_, service_, run_, out_of_guest_;
};

/// A row by its number, as figures may be all that tells two rows apart, and by its words.
std::string labels_of_row(const ExperimentResult& result, const ExperimentTable& table, std::size_t number) {
  std::string words;
  for (const ExperimentCell& cell : table.rows[number].cells) {
    const auto* text = std::get_if<std::string>(&cell);
    if (text != nullptr) words += (words.empty() ? "" : ", ") + *text;
  }
  return fmt::format("experiment=\"{}\",table=\"{}\",row=\"{}\",words=\"{}\"", label_value(result.name),
                     label_value(table.id), number + 1, label_value(words));
}

void add_figures(std::string& out, const ExperimentResult& result, const ExperimentTable& table,
                 std::size_t number) {
  const ExperimentRow& row = table.rows[number];
  if (!row.not_here.empty()) return;
  const std::string labels = labels_of_row(result, table, number);
  for (std::size_t i = 0; i < row.cells.size() && i < table.columns.size(); ++i) {
    const auto add = [&](std::string_view statistic, double value) {
      out += fmt::format("kvmbench_experiment_figure{{{},figure=\"{}\",statistic=\"{}\"}} {}\n", labels,
                         label_value(table.columns[i].key), statistic, value);
    };
    if (const auto* number = std::get_if<double>(&row.cells[i])) add("value", *number);
    if (const auto* spread = std::get_if<Spread>(&row.cells[i])) {
      add("median", spread->median);
      add("min", spread->least);
      add("max", spread->most);
    }
  }
}

}  // namespace

std::string to_openmetrics(const Comparison& comparison) {
  Compared compared(comparison);
  for (const ComparedRow& row : comparison.reasons) compared.add("reason", row);
  for (const ComparedRow& row : comparison.keys) compared.add("key", row);
  for (const ComparedHardwareRow& row : comparison.hardware_reasons) compared.add(row);
  for (const ComparedOperation& operation : comparison.operations) compared.add(operation);
  return compared.render();
}

std::string to_openmetrics(const Experiments& experiments) {
  std::string out =
      family("kvmbench_experiment_sound", "gauge", "",
             "1 where no arm failed and every number of exits that is determined is as it must be, else 0.");
  for (const ExperimentResult& result : experiments.results) {
    out += fmt::format("kvmbench_experiment_sound{{experiment=\"{}\"}} {}\n", label_value(result.name),
                       result.sound() ? 1 : 0);
  }
  std::string figures;
  for (const ExperimentResult& result : experiments.results) {
    for (const ExperimentTable& table : result.tables) {
      for (std::size_t number = 0; number < table.rows.size(); ++number)
        add_figures(figures, result, table, number);
    }
  }
  if (!figures.empty())
    out += family("kvmbench_experiment_figure", "gauge", "", "Figures of the experiments' tables.") + figures;
  return out + std::string(end_of_file);
}

}  // namespace kvmbench::report
