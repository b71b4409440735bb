#include "report/hardware_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/hardware_accounting.hpp"
#include "report/hardware_detail.hpp"
#include "report/kernel_cells.hpp"
#include "report/rows.hpp"
#include "report/units.hpp"
#include "stats/exit_reason.hpp"

namespace kvmbench::report {
namespace {

using namespace cells;

std::vector<stats::HardwareReasonStats> most_time_first(std::vector<stats::HardwareReasonStats> reasons) {
  std::stable_sort(reasons.begin(), reasons.end(), [](const auto& a, const auto& b) {
    return std::pair(a.out_of_guest.sum, a.count) > std::pair(b.out_of_guest.sum, b.count);
  });
  return reasons;
}

std::vector<Cell> reason_row(const std::string& name, const stats::HardwareReasonStats& reason,
                             const stats::HardwareReasonStats& total) {
  const stats::TimeStats& out = reason.out_of_guest;
  return {words(name),
          count(reason.count),
          figure(per_cent(reason.count, total.count), reason.count),
          time(out.sum),
          figure(per_cent(out.sum, total.out_of_guest.sum), out.sum),
          time(out.min),
          time(static_cast<std::uint64_t>(std::llround(out.mean()))),
          time(out.quantile(0.5)),
          time(out.quantile(0.99)),
          time(out.max),
          count(reason.returned),
          time(reason.outside.sum)};
}

std::string in_words(std::uint64_t number, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", grouped(number), number == 1 ? one : many);
}

void add_remainder(const HardwareAccounting& accounting, std::vector<std::string>& sentences) {
  if (!accounting.counted) {
    sentences.push_back(
        fmt::format("The tracer saw {}; this kernel keeps no count of its own to set against it.",
                    in_words(accounting.traced, "exit", "exits")));
    return;
  }
  const std::int64_t unexplained = *accounting.unexplained();
  sentences.push_back(fmt::format(
      "The tracer saw {}, KVM's own counter {}: unexplained: {}.{}",
      in_words(accounting.traced, "exit", "exits"), grouped(*accounting.counted),
      unexplained < 0 ? '-' + grouped(static_cast<std::uint64_t>(-unexplained))
                      : grouped(static_cast<std::uint64_t>(unexplained)),
      unexplained == 0
          ? ""
          : " The two are not read at one instant: of a VM that runs meanwhile, they differ by the "
            "exits between; a KVM that enters the guest again at once may count without an event."));
}

void add_losses(const Report& report, const stats::TracedExits& traced, std::vector<std::string>& sentences) {
  const auto say = [&](std::uint64_t number, const std::string& what) {
    if (number != 0) sentences.push_back(fmt::format("{} {}", grouped(number), what));
  };
  say(traced.without_reason, "exits are counted under no reason: the tracer's table of reasons was full.");
  say(traced.without_detail, "events are under no detail: the tracer's table of details was full.");
  if (!report.snapshot.tracer) return;
  const stats::TracerState& tracer = *report.snapshot.tracer;
  say(tracer.events_without_thread, "events are not counted at all: the tracer's table of threads was full.");
  say(tracer.missed_events,
      "times a tracing program was not run, as another one ran on that CPU (of any VM).");
  if (!tracer.absent_events.empty()) {
    sentences.push_back(
        fmt::format("This kernel does not have these events, or not with the fields needed: {}.",
                    fmt::join(tracer.absent_events, ", ")));
  }
}

std::vector<std::string> accounting_sentences(const Report& report, const stats::TracedExits& traced,
                                              const HardwareAccounting& accounting) {
  std::vector<std::string> sentences;
  if (accounting.no_hardware_exits()) {
    const std::string seen =
        accounting.counted
            ? fmt::format("it counted {}", in_words(*accounting.counted, "exit", "exits"))
            : fmt::format("KVM_RUN returned {}", in_words(accounting.returns, "time", "times"));
    sentences.push_back(fmt::format(
        "This KVM has no hardware exits to trace: {}, and none was announced (kvm_exit), as with a "
        "KVM that works without VT-x or AMD-V. What its other events tell is below.",
        seen));
  } else {
    add_remainder(accounting, sentences);
    const std::int64_t without = accounting.returns_without_exit();
    sentences.push_back(fmt::format(
        "After {} of them KVM_RUN returned, KVM served {} itself; KVM_RUN returned {} in all{}.",
        grouped(accounting.to_userspace), grouped(accounting.kernel_handled()),
        in_words(accounting.returns, "time", "times"),
        without <= 0 ? ""
                     : fmt::format(", {} without an exit of its own (a signal, a part of an access)",
                                   in_words(static_cast<std::uint64_t>(without), "time", "times"))));
  }
  if (traced.emulated != 0)
    sentences.push_back(
        fmt::format("KVM emulated {}.", in_words(traced.emulated, "instruction", "instructions")));
  add_losses(report, traced, sentences);
  return sentences;
}

void add_most(const stats::TracedExits& traced, const stats::HardwareReasonStats& most,
              std::vector<std::string>& sentences) {
  sentences.push_back(fmt::format(
      "Most out-of-guest time: {}, {} for {}.", stats::hardware_reason_name(traced.vendor, most.reason),
      duration(static_cast<double>(most.out_of_guest.sum) * nanosecond), exits_in_words(most.count)));
  const stats::ReasonText* text =
      stats::hardware_reason(traced.vendor, stats::basic_reason(traced.vendor, most.reason));
  if (text == nullptr) return;
  sentences.emplace_back(text->description);
  if (!text->cause.empty()) sentences.push_back(fmt::format("Usual cause: {}", text->cause));
  if (!text->remedy.empty()) sentences.push_back(fmt::format("What lessens it: {}", text->remedy));
}

PlainTable reasons_table(const Report& report, const stats::TracedExits& traced,
                         const HardwareAccounting& accounting) {
  PlainTable table{"hardware-reasons",
                   "Hardware exits by reason",
                   {{"reason", true},
                    {"count"},
                    {"count %", false, 9},
                    {"out of guest", false, 1},
                    {"time %", false, 8},
                    {"min", false, 6},
                    {"avg", false, 2},
                    {"p50", false, 5},
                    {"p99", false, 3},
                    {"max", false, 4},
                    {"to userspace", false, 7},
                    {"time there", false, 10}},
                   {},
                   {},
                   {}};
  stats::HardwareReasonStats total;
  for (const stats::HardwareReasonStats& reason : traced.reasons) total += reason;
  const std::vector<stats::HardwareReasonStats> sorted = most_time_first(traced.reasons);
  for (const stats::HardwareReasonStats& reason : sorted)
    table.rows.push_back(
        reason_row(stats::hardware_reason_name(traced.vendor, reason.reason), reason, total));
  if (!table.rows.empty()) table.total = reason_row("total", total, total);
  table.sentences = accounting_sentences(report, traced, accounting);
  if (sorted.empty()) return table;
  table.sentences.emplace_back(
      "Out of guest: from an exit to the next entry, in nanoseconds of the kernel's monotonic clock; what "
      "userspace took is among it, and the time in which the vCPU's thread was not run. Time there: from the "
      "return of KVM_RUN on.");
  add_most(traced, sorted.front(), table.sentences);
  return table;
}

PlainTable details_table(const Report& report, const stats::TracedExits& traced) {
  PlainTable table{"hardware-details",
                   "What they were for",
                   {{"what", true},
                    {"register", true, 5},
                    {"direction", true, 2},
                    {"width", false, 4},
                    {"count"},
                    {"out of guest", false, 1},
                    {"avg", false, 3}},
                   {},
                   {},
                   {"One exit may have several of these or none; its time is with the last one."}};
  std::vector<stats::HardwareDetailStats> sorted = traced.details;
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return std::pair(a.nanoseconds, a.count) > std::pair(b.nanoseconds, b.count);
  });
  for (const stats::HardwareDetailStats& detail : sorted) {
    const std::uint64_t width = detail.detail.width;
    const KeyName name = report.name_of(detail.detail);
    table.rows.push_back({words(place_of(detail.detail)),
                          words(name == KeyName{} ? "" : name.device + ' ' + name.register_name),
                          words(direction_in_words(detail.detail)), width == 0 ? words("") : count(width),
                          count(detail.count), detail.timed == 0 ? words("-") : time(detail.nanoseconds),
                          detail.timed == 0 ? words("-") : time(detail.nanoseconds / detail.timed)});
  }
  return table;
}

/// Of a VM that another program runs, which this one has no account of.
PlainTable returns_table(const stats::TracedExits& traced) {
  PlainTable table{"returns", "Returns of KVM_RUN", {{"reason", true}, {"count"}, {"count %"}}, {}, {}, {}};
  for (const stats::ReturnCount& each : traced.returns) {
    table.rows.push_back({words(stats::userspace_reason_name(each.reason)), count(each.count),
                          figure(per_cent(each.count, traced.return_count()), each.count)});
  }
  table.total = {words("total"), count(traced.return_count()),
                 figure(per_cent(traced.return_count(), traced.return_count()), traced.return_count())};
  return table;
}

}  // namespace

std::vector<PlainTable> hardware_tables(const Report& report) {
  std::vector<PlainTable> tables;
  const stats::Snapshot& snapshot = report.snapshot;
  const auto traced = snapshot.traced();
  if (!traced) return tables;
  tables.push_back(reasons_table(report, *traced, *hardware_accounting(snapshot)));
  if (!traced->details.empty()) tables.push_back(details_table(report, *traced));
  if (snapshot.exits() == 0 && !traced->returns.empty()) tables.push_back(returns_table(*traced));
  return tables;
}

}  // namespace kvmbench::report
