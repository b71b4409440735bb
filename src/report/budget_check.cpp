/// What a report says of an expectation.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "report/budget.hpp"
#include "report/budget_hardware.hpp"
#include "report/operations.hpp"
#include "report/printable.hpp"
#include "report/units.hpp"

namespace kvmbench::report {
namespace {

/// Of the exits that a quantity selects.
struct Selected {
  stats::ReasonStats sums;
  bool any = false;
};

class Checker final {
 public:
  Checker(const Expectation& expectation, const Report& report)
      : expectation_(expectation), report_(report) {}

  Outcome check() {
    const long double value = measure(expectation_.quantity);
    if (!expectation_.divided_by) return outcome(value);
    const long double divisor = measure(*expectation_.divided_by);
    if (divisor == 0) return {false, "-", "divided by nothing: there was none"};
    return outcome(value / divisor);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw UsageError(fmt::format("{}: \"{}\": {}", expectation_.place, cut(printable(expectation_.text), 100),
                                 printable(what)));
  }

  [[nodiscard]] Outcome outcome(long double value) const { return {holds(value), shown(value), remark_}; }

  [[nodiscard]] bool holds(long double value) const {
    switch (expectation_.relation) {
      case Relation::less:
        return value < expectation_.limit;
      case Relation::at_most:
        return value <= expectation_.limit;
      case Relation::equal:
        return value == expectation_.limit;
      case Relation::not_equal:
        return value != expectation_.limit;
      case Relation::at_least:
        return value >= expectation_.limit;
      case Relation::more:
        break;
    }
    return value > expectation_.limit;
  }

  [[nodiscard]] std::string shown(long double value) const {
    switch (expectation_.unit) {
      case Unit::nanoseconds:
        return duration(static_cast<double>(value) * 1e-9);
      case Unit::cycles:
        return fmt::format("{:.0f} cycles", value);
      case Unit::per_cent:
        return fmt::format("{:.1f} %", value);
      case Unit::none:
        break;
    }
    const bool whole =
        value < 0x1p64L && value == static_cast<long double>(static_cast<std::uint64_t>(value));
    return whole ? grouped(static_cast<std::uint64_t>(value)) : ratio(static_cast<double>(value));
  }

  long double measure(const Quantity& quantity) {
    if (const auto* exits = std::get_if<ExitQuantity>(&quantity)) return value_of(*exits);
    if (const auto* hardware = std::get_if<HardwareQuantity>(&quantity)) return value_of(*hardware);
    return value_of(std::get<OperationQuantity>(quantity));
  }

  long double value_of(const ExitQuantity& quantity) {
    if (of_another_program(report_))
      refuse("a trace of another program's VM has the hardware's exits and no others: hardware.NPF.count");
    require_known(quantity.selection);
    const Selected selected = select(quantity.selection);
    if (!selected.any) remark_ = "no such exits";
    const auto count = static_cast<long double>(selected.sums.count);
    switch (quantity.figure) {
      case Figure::count:
        return count;
      case Figure::transfers:
        return static_cast<long double>(selected.sums.transfers);
      case Figure::rate:
        if (report_.wall_seconds == 0) refuse("the report has no length that a rate could be of");
        return count / static_cast<long double>(report_.wall_seconds);
      case Figure::share: {
        const auto all = static_cast<long double>(select({}).sums.count);
        return all == 0 ? 0 : 100 * count / all;
      }
      case Figure::service:
        return in_unit(statistic_of(selected.sums.service, quantity.statistic, quantity.quantile));
      case Figure::run:
        break;
    }
    return in_unit(statistic_of(selected.sums.run, quantity.statistic, quantity.quantile));
  }

  long double value_of(const HardwareQuantity& quantity) {
    if (quantity.vcpu) require_vcpu(*quantity.vcpu);
    try {
      const Measured measured = report::measure(quantity, report_);
      remark_ = measured.remark;
      return measured.value;
    } catch (const Untold& reason) {
      refuse(reason.what());
    }
  }

  long double value_of(const OperationQuantity& quantity) const {
    bool counted = false;
    std::uint64_t count = 0;
    for (const OperationRow& row : operation_rows(report_)) {
      if (row.operation != quantity.operation || (quantity.device && row.device != *quantity.device))
        continue;
      counted = true;
      count += row.count;
    }
    if (!counted) refuse(fmt::format("no device of this run counts \"{}\"", quantity.operation));
    return static_cast<long double>(count);
  }

  void require_vcpu(std::uint32_t number) const {
    const auto& vcpus = report_.snapshot.vcpus;
    if (std::none_of(vcpus.begin(), vcpus.end(), [=](const auto& vcpu) { return vcpu.vcpu == number; }))
      refuse(fmt::format("this run had no vCPU {}", number));
  }

  /// That something has no exits is well; that there is no such thing is a mistake in the budget, which would
  /// hold for ever.
  void require_known(const Selection& selection) const {
    if (selection.vcpu) require_vcpu(*selection.vcpu);
    if (selection.phase) {
      const auto& phases = report_.snapshot.phases;
      if (std::none_of(phases.begin(), phases.end(),
                       [&](const stats::Phase& phase) { return phase.label.name() == *selection.phase; }))
        refuse(fmt::format("this run had no phase \"{}\"", *selection.phase));
    }
    if (!selection.device || report_.devices.empty()) return;
    if (std::find(report_.devices.begin(), report_.devices.end(), *selection.device) == report_.devices.end())
      refuse(fmt::format("the machine of this run has no device \"{}\"", *selection.device));
  }

  [[nodiscard]] bool matches(const Selection& selection, const stats::ExitKey& key) const {
    const auto is = [](const auto& wanted, const auto& value) { return !wanted || *wanted == value; };
    if (!is(selection.reason, key.reason) || !is(selection.address, key.address) ||
        !is(selection.direction, key.direction) || !is(selection.width, key.width)) {
      return false;
    }
    if (selection.phase && report_.snapshot.phases.at(key.phase).label.name() != *selection.phase)
      return false;
    if (!selection.device) return true;
    const KeyName name = report_.name_of(key);
    return is(selection.device, name.device) && is(selection.register_name, name.register_name);
  }

  [[nodiscard]] Selected select(const Selection& selection) const {
    Selected selected;
    for (const stats::VcpuSnapshot& vcpu : report_.snapshot.vcpus) {
      if (selection.vcpu && *selection.vcpu != vcpu.vcpu) continue;
      for (const stats::KeyStats& key : vcpu.keys) {
        if (!matches(selection, key.key)) continue;
        selected.any = true;
        selected.sums.count += key.count;
        selected.sums.transfers += key.transfers;
        selected.sums.service += key.service;
        selected.sums.run += key.run;
      }
    }
    return selected;
  }

  [[nodiscard]] long double in_unit(long double cycles) const {
    if (expectation_.unit == Unit::cycles) return cycles;
    if (report_.snapshot.tsc_khz == 0) refuse("the TSC's frequency is not known: compare cycles");
    return cycles * 1e6L / static_cast<long double>(report_.snapshot.tsc_khz);
  }

  const Expectation& expectation_;
  const Report& report_;
  std::string remark_;
};

}  // namespace

Outcome check(const Expectation& expectation, const Report& report) {
  return Checker(expectation, report).check();
}

std::string in_words(const Expectation& expectation, const Outcome& outcome) {
  std::string words = fmt::format("{}: {}: {}", outcome.passed ? "pass" : "FAIL", printable(expectation.text),
                                  outcome.measured);
  if (!outcome.remark.empty()) words += fmt::format(" ({})", outcome.remark);
  return words;
}

}  // namespace kvmbench::report
