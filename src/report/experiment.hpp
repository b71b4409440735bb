/// What `kvmbench bench` has found out, as values that every format renders (docs/experiments.md).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "report/formats.hpp"
#include "report/report.hpp"

namespace kvmbench::report {

/// One figure of several repetitions.
struct Spread {
  double median = 0;
  double least = 0;
  double most = 0;
  std::uint64_t repetitions = 0;

  friend bool operator==(const Spread&, const Spread&) = default;
};

/// Nothing is shown as "-": what this row does not have.
using ExperimentCell = std::variant<std::monostate, std::string, double, Spread>;

struct ExperimentColumn {
  enum class Unit { words, count, cycles, seconds, per_second, bytes_per_second, ratio, share };

  std::string key;    ///< in JSON and CSV: "service_p99"
  std::string title;  ///< for people: "service p99"
  Unit unit = Unit::words;
  unsigned dropped = 0;  ///< TextColumn::dropped
};

struct ExperimentRow {
  std::vector<ExperimentCell> cells;  ///< one a column; of a row that is not here those that name it
  std::string not_here;               ///< why this host cannot; "" where it can
};

struct ExperimentTable {
  std::string id;     ///< "prices": of its element in HTML, of its rows in CSV
  std::string title;  ///< "What an exit costs"
  std::vector<ExperimentColumn> columns;
  std::vector<ExperimentRow> rows;
  std::vector<std::string> notes;  ///< a sentence each

  void add(std::vector<ExperimentCell> cells) { rows.push_back({std::move(cells), {}}); }
  /// `names` are the first cells.
  void add_not_here(std::vector<ExperimentCell> names, std::string why) {
    rows.push_back({std::move(names), std::move(why)});
  }
};

/// Points with a name, of a diagram.
struct ExperimentSeries {
  std::string label;
  std::vector<std::pair<double, double>> points;
};
struct ExperimentPlot {
  std::string id;
  std::string title;
  std::string x_title;  ///< "share of work that is I/O"
  std::string y_title;  ///< "exits/s"
  std::vector<ExperimentSeries> series;
  bool lines = true;  ///< from point to point of a series, in their order
};

/// A number of exits that is determined by what the guest does.
struct ExactCount {
  std::string what;  ///< "cpuid: returns of KVM_RUN"
  std::uint64_t expected = 0;
  std::uint64_t counted = 0;

  [[nodiscard]] bool holds() const noexcept { return expected == counted; }
};

/// A line of figures that a guest has printed.
struct GuestFigures {
  std::string arm;
  std::vector<std::pair<std::string, std::uint64_t>> numbers;  ///< in their order; each name once

  [[nodiscard]] std::optional<std::uint64_t> number(std::string_view name) const noexcept;
};

/// One run of one arm.
struct ExperimentSample {
  std::string arm;
  std::uint64_t repetition = 0;  ///< from 1
  int status = 0;                ///< the guest's
  double wall_seconds = 0;       ///< of building the machine and running it
  double cpu_seconds = 0;        ///< of this program's threads, in the guest and out of it
  std::uint64_t exits = 0;       ///< returns of KVM_RUN
  std::optional<std::uint64_t> kernel_exits;
  double run_seconds = 0;                ///< in KVM_RUN, all vCPUs together
  double service_seconds = 0;            ///< from the return of KVM_RUN to the next
  std::optional<double> kernel_seconds;  ///< out of the guest, by the kernel's events; where they were traced
  std::optional<double> guest_seconds;   ///< that the guest has timed by its TSC; where it has
  std::vector<GuestFigures> guest;
  std::string failure;  ///< why there is nothing of it; "" where all went well
};

struct ExperimentResult {
  std::string name;
  std::string question;
  std::string answer;  ///< one sentence that follows from the figures, or that they support none
  std::vector<ExperimentTable> tables;
  std::vector<ExperimentPlot> plots;
  std::vector<ExactCount> exact;
  std::vector<ExperimentSample> samples;  ///< of all arms, in the order they ran
  std::vector<std::string> failures;      ///< what should have worked and did not
  double budget_seconds = 0;
  double wall_seconds = 0;

  void expect(std::string what, std::uint64_t expected, std::uint64_t counted) {
    exact.push_back({std::move(what), expected, counted});
  }
  /// No failure, and every count that is determined is as it must be.
  [[nodiscard]] bool sound() const noexcept;
  /// Least and greatest number of repetitions of an arm.
  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> repetitions() const;
};

/// All that one call has found out.
struct Experiments {
  std::string kvmbench_version;
  std::string started;  ///< UTC, ISO 8601
  Facts host;
  std::vector<ExperimentResult> results;
};

[[nodiscard]] std::string to_text(const Experiments& experiments, const RenderOptions& options);
[[nodiscard]] std::string to_markdown(const Experiments& experiments);
/// The tables one after the other, each with its titles and an empty line before it.
[[nodiscard]] std::string to_csv(const Experiments& experiments);
[[nodiscard]] std::string to_json(const Experiments& experiments);  ///< docs/experiment.schema.json
[[nodiscard]] std::string to_html(const Experiments& experiments);
/// A gauge's sample per figure, with the rows' numbers and words as labels.
[[nodiscard]] std::string to_openmetrics(const Experiments& experiments);
/// The plots, one below the other. Throws UsageError where there is none.
[[nodiscard]] std::string to_svg(const Experiments& experiments);

}  // namespace kvmbench::report
