// complexity: many simple exits, or few with much in them.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "experiments/experiment.hpp"
#include "report/units.hpp"
#include "vmm/linux_kvm.hpp"

namespace kvmbench::experiments {

void run_complexity(Context& context, report::ExperimentResult& result);

namespace {

using report::ExperimentCell;
using Unit = report::ExperimentColumn::Unit;

constexpr std::uint64_t not_determined = ~std::uint64_t{0};

/// A way to bring something about, as guests/prices.c has it.
struct Way {
  std::string_view guest;
  std::string_view name;
  std::uint64_t returns;  ///< of KVM_RUN in a round
};
constexpr std::array ways{
    Way{"out-block", "256 bytes out, one by one", 256},
    Way{"rep-out-block", "256 bytes out, REP OUTSB", not_determined},
    Way{"in-block", "256 bytes in, one by one", 256},
    Way{"rep-in-block", "256 bytes in, REP INSB", not_determined},
    Way{"record-words", "64-byte record, 16 OUT", 16},
    Way{"record-pointer", "64-byte record, its address", 1},
    Way{"work-256", "256 units of work, 256 exits", 256},
    Way{"work-64", "256 units of work, 64 exits", 64},
    Way{"work-16", "256 units of work, 16 exits", 16},
    Way{"work-4", "256 units of work, 4 exits", 4},
    Way{"work-1", "256 units of work, 1 exit", 1},
};
constexpr std::array<std::size_t, 5> work_ways{6, 7, 8, 9, 10};
constexpr std::string_view clock = "nothing", within_kernel = "cpuid";

/// The fastest round, in seconds, without the two RDTSC around it: what else runs on the host only slows, and
/// a round of 256 exits is long enough for it to come in between.
std::optional<double> round_seconds(const ArmRun& run, std::string_view guest) {
  const auto cycles = run.guest.figure(guest, "min"), none = run.guest.figure(clock, "min");
  return cycles && none ? std::optional(run.seconds(*cycles - *none)) : std::nullopt;
}

/// Returns of the rounds: those at the ports that these ways write to and read.
stats::KeyStats returns_of(const ArmRun& run, std::string_view guest) {
  const auto mark = run.guest.number(guest, "mark");
  if (!mark) return {};
  return run.exits_where(static_cast<std::uint8_t>(*mark), [](const stats::ExitKey& key) {
    constexpr std::uint64_t first = 0x2f00, end = 0x2f80;  // unclaimed ports and the exit probe's
    return key.reason == KVM_EXIT_IO && key.address >= first && key.address < end;
  });
}

/// Service time of a round, in seconds: the middle one of its returns, as often as they come.
std::optional<double> service_seconds(const ArmRun& run, std::string_view guest) {
  const auto rounds = run.guest.figure(guest, "rounds");
  const stats::KeyStats returns = returns_of(run, guest);
  if (!rounds || *rounds == 0 || returns.count == 0) return std::nullopt;
  return run.seconds(static_cast<double>(returns.service.quantile(0.5))) *
         static_cast<double>(returns.count) / *rounds;
}

double median_of_cell(const ExperimentCell& cell) {
  const auto* spread = std::get_if<report::Spread>(&cell);
  return spread == nullptr ? 0 : spread->median;
}

class Complexity final {
 public:
  Complexity(const std::vector<ArmRun>& runs, report::ExperimentResult& result)
      : runs_(runs), result_(result) {}

  void fill() {
    result_.tables.push_back(table_of_ways());
    const std::optional<LinearFit> fit = fit_of_work();
    result_.tables.push_back(table_of_parts(fit));
    answer(fit);
  }

 private:
  [[nodiscard]] double median(std::string_view guest) const {
    return median_of_cell(spread_over(runs_, [=](const ArmRun& run) { return round_seconds(run, guest); }));
  }

  report::ExperimentTable table_of_ways() {
    report::ExperimentTable table{.id = "ways",
                                  .title = "The same by many exits and by few",
                                  .columns = {{"way", "way", Unit::words},
                                              {"returns", "returns", Unit::ratio},
                                              {"round_s", "a round", Unit::seconds},
                                              {"service_s", "service", Unit::seconds, 1},
                                              {"outside_s", "all else", Unit::seconds, 2},
                                              {"return_s", "a return", Unit::seconds, 3}},
                                  .rows = {},
                                  .notes = {}};
    for (const Way& way : ways) {
      double rounds = 0, returns = 0;
      for (const ArmRun& run : runs_) {
        const std::uint64_t done = run.guest.number(way.guest, "rounds").value_or(0);
        const std::uint64_t counted = returns_of(run, way.guest).count;
        rounds += static_cast<double>(done);
        returns += static_cast<double>(counted);
        if (way.returns != not_determined && !run.failed())
          result_.expect(std::string(way.name), done * way.returns, counted);
      }
      const double each = rounds == 0 ? 0 : returns / rounds;
      const auto service = [&](const ArmRun& run) { return service_seconds(run, way.guest); };
      const ExperimentCell spent = spread_over(runs_, service);
      const double round = median(way.guest);
      table.add({std::string(way.name), each,
                 spread_over(runs_, [&](const ArmRun& run) { return round_seconds(run, way.guest); }), spent,
                 round - median_of_cell(spent), each == 0 ? 0 : round / each});
    }
    table.notes.emplace_back(
        "A round is the fastest, without the two RDTSC around it; service is kvmbench's part of it, from the "
        "return of KVM_RUN to the next (p50); all else is the guest, KVM and the way to and fro.");
    return table;
  }

  /// Seconds of a round over its number of exits, at the same work.
  [[nodiscard]] std::optional<LinearFit> fit_of_work() const {
    std::vector<std::pair<double, double>> points;
    for (const std::size_t number : work_ways) {
      const double seconds = median(ways[number].guest);
      if (seconds > 0) points.emplace_back(static_cast<double>(ways[number].returns), seconds);
    }
    return points.size() == work_ways.size() ? fit_line(points) : std::nullopt;
  }

  report::ExperimentTable table_of_parts(const std::optional<LinearFit>& fit) {
    report::ExperimentTable table{.id = "parts",
                                  .title = "What one OUT that returns is made of",
                                  .columns = {{"part", "part", Unit::words},
                                              {"seconds", "time", Unit::seconds},
                                              {"share", "share", Unit::share},
                                              {"from", "from", Unit::words, 1}},
                                  .rows = {},
                                  .notes = {}};
    if (!fit) {
      table.add_not_here({std::string("all parts")}, "a way could not be measured");
      return table;
    }
    // At most what an exit that KVM serves by itself takes: its work is little.
    const double transition = std::min(median(within_kernel), fit->slope);
    const double service = median_of_cell(spread_over(runs_, [](const ArmRun& run) -> std::optional<double> {
      const auto seconds = service_seconds(run, "record-words");
      constexpr double outs = 16;
      return seconds ? std::optional(*seconds / outs) : std::nullopt;
    }));
    const double rest = std::max(0.0, fit->slope - transition - service);
    const auto add = [&](const char* part, double seconds, const char* from) {
      table.add({std::string(part), seconds, fit->slope > 0 ? seconds / fit->slope : 0, std::string(from)});
    };
    add("transition", transition, "CPUID, which KVM serves by itself");
    add("decode, emulation and the way to kvmbench", rest, "the rest");
    add("service", service, "kvmbench's clock, of an OUT with no work");
    add("one exit more", fit->slope, "slope of the fit");
    table.notes.push_back(fmt::format(
        "Model: a round of k exits with the same work takes {} + k * {}; of the five rounds' differences it "
        "explains {:.2f}%, and the farthest is {} off.",
        report::duration(std::max(0.0, fit->intercept)), report::duration(fit->slope), 100 * fit->r_squared,
        report::duration(fit->greatest_residual)));
    return table;
  }

  void answer(const std::optional<LinearFit>& fit) {
    const double words = median("record-words"), pointer = median("record-pointer");
    if (!fit || words <= 0 || pointer <= 0) {
      result_.answer = "The figures support no answer: a way could not be measured.";
      return;
    }
    constexpr double good_fit = 0.95;
    result_.answer = fmt::format(
        "A 64-byte record by one exit costs {} in place of {} by sixteen, {:.1f} times less; {}.",
        report::duration(pointer), report::duration(words), words / pointer,
        fit->r_squared >= good_fit
            ? fmt::format("each exit saved at the same work saves {}", report::duration(fit->slope))
            : "the rounds do not lie on one line, so that no price of an exit follows from them");
    report::ExperimentPlot plot{.id = "work",
                                .title = "The same work by more exits",
                                .x_title = "exits",
                                .y_title = "seconds",
                                .series = {{"measured", {}}, {"model", {}}}};
    for (const std::size_t number : work_ways) {
      const auto exits = static_cast<double>(ways[number].returns);
      plot.series[0].points.emplace_back(exits, median(ways[number].guest));
      plot.series[1].points.emplace_back(exits, fit->at(exits));
    }
    result_.plots.push_back(std::move(plot));
  }

  const std::vector<ArmRun>& runs_;
  report::ExperimentResult& result_;
};

}  // namespace

void run_complexity(Context& context, report::ExperimentResult& result) {
  constexpr unsigned repetitions = 5;
  std::string kinds = fmt::format("{},{}", clock, within_kernel);
  for (const Way& way : ways) kinds += fmt::format(",{}", way.guest);
  const double each = 0.8 * context.budget_seconds() / repetitions / static_cast<double>(ways.size() + 2);
  Arm arm = guest_arm(
      "all ways", "@prices",
      fmt::format("us={} kinds={}", static_cast<std::uint64_t>(std::max(2000.0, each * 1e6)), kinds));
  arm.options.exit_probe = true;
  const std::vector<ArmRun> runs = context.interleave(std::span(&arm, 1), repetitions).front();
  for (const ArmRun& run : runs) {
    if (run.failed()) result.failures.push_back(run.failure);
  }
  Complexity(runs, result).fill();
}

}  // namespace kvmbench::experiments
