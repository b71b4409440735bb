/// Budgets: what a run's report must hold to, one expression a line. docs/budget.md has the grammar.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "report/report.hpp"

namespace kvmbench::report {

/// Which exits count: each part that is given narrows it.
struct Selection {
  std::optional<std::uint32_t> reason;
  std::optional<std::string> phase;  ///< PhaseLabel::name()
  std::optional<std::uint32_t> vcpu;
  std::optional<std::string> device;
  std::optional<std::string> register_name;  ///< of `device`
  std::optional<std::uint64_t> address;      ///< of a port, a guest-physical address or an MSR
  std::optional<Direction> direction;
  std::optional<std::uint8_t> width;
};

/// What of those exits is measured.
enum class Figure { count, transfers, rate, share, service, run };
enum class Statistic { sum, min, mean, max, quantile };

struct ExitQuantity {
  Selection selection;
  Figure figure = Figure::count;
  Statistic statistic = Statistic::sum;  ///< of service and run
  double quantile = 0;
};
/// Of the hardware's exits. Without a reason, count and rate are of KVM's own count; all else is what a
/// tracer saw.
enum class HardwareFigure { count, rate, share, returned, out_of_guest, outside };
struct HardwareQuantity {
  std::optional<std::uint32_t> vcpu;
  std::optional<std::string> reason;  ///< its short name, of VMX or SVM, or its number
  HardwareFigure figure = HardwareFigure::count;
  Statistic statistic = Statistic::sum;  ///< of out_of_guest and outside
  double quantile = 0;
};
/// What devices have counted under that name; of one device, or of all that count it.
struct OperationQuantity {
  std::optional<std::string> device;
  std::string operation;
};
using Quantity = std::variant<ExitQuantity, HardwareQuantity, OperationQuantity>;

/// What a quantity's figures are.
enum class Dimension { number, rate, share, time };
[[nodiscard]] Dimension dimension_of(const Quantity& quantity);

enum class Unit { none, nanoseconds, cycles, per_cent };
enum class Relation { less, at_most, equal, not_equal, at_least, more };

struct Expectation {
  std::string text;   ///< as it was written, without comment
  std::string place;  ///< "exits.budget:12", or "--expect"
  Quantity quantity;
  std::optional<Quantity> divided_by;
  Relation relation = Relation::at_most;
  long double limit = 0;  ///< exact for integers up to 2^64
  Unit unit = Unit::none;
};

/// Throws UsageError naming `place`, the expression and what is wrong with it.
[[nodiscard]] Expectation parse_expectation(std::string_view text, const std::string& place);
/// Those of a file's lines that hold one. Throws UsageError for the first that is none.
[[nodiscard]] std::vector<Expectation> parse_budget(std::string_view text, const std::string& name);

struct Outcome {
  bool passed = false;
  std::string measured;  ///< "1,100", "4.20 µs"
  std::string remark;    ///< "" or why that is so
};
/// Throws UsageError where the expectation names something that this report cannot tell: docs/budget.md.
[[nodiscard]] Outcome check(const Expectation& expectation, const Report& report);

/// "pass: mmio.count <= 1200: 1,100".
[[nodiscard]] std::string in_words(const Expectation& expectation, const Outcome& outcome);

/// A budget that the report itself holds: the counts of all exits, of each reason, key and phase, exits for
/// each operation, and the hardware's exits of each reason where they were traced. `slack` is what may be
/// added, as a fraction.
[[nodiscard]] std::string budget_of(const Report& report, double slack);

}  // namespace kvmbench::report
