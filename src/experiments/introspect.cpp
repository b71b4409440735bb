// introspect: three ways to know what a guest modifies.

#include <fmt/format.h>

#include <array>
#include <fstream>

#include "experiments/devices.hpp"
#include "experiments/experiment.hpp"
#include "report/units.hpp"
#include "vmm/linux_kvm.hpp"

namespace kvmbench::experiments {

void run_introspect(Context& context, report::ExperimentResult& result);

namespace {

using report::ExperimentCell;
using Unit = report::ExperimentColumn::Unit;

constexpr std::string_view range = "0x1000000-0x1001fff";  // two pages, that guests/touch.c writes to in turn
constexpr std::uint8_t loop_mark = 0x7f;
constexpr std::string_view loop = "loop";

struct Way {
  std::string_view name;
  std::string_view what;
};
constexpr std::array ways{
    Way{"unwatched", "nobody looks"},
    Way{"exit", "write-protected, each write is served"},
    Way{"bitmap", "KVM_GET_DIRTY_LOG every 10 ms"},
    Way{"ring", "KVM_CAP_DIRTY_LOG_RING, at each exit"},
};
enum : std::size_t { unwatched, by_exit, by_bitmap, by_ring };

Arm arm_of(const Way& way, std::uint64_t writes) {
  Arm arm = guest_arm(std::string(way.name), "@touch", fmt::format("kinds=loop n={}", writes));
  if (&way != &ways[unwatched]) arm.options.watch = {fmt::format("{},by={}", range, way.name)};
  return arm;
}

std::uint64_t writes_of(Context& context) {
  constexpr std::uint64_t tried = 200, least = 100, most = 1u << 20;
  constexpr double repetitions = 5, share = 0.5;
  const ArmRun run = context.try_out(arm_of(ways[by_exit], tried));
  const auto cycles = run.guest.figure(loop, "cycles");
  if (run.failed() || !cycles) return least;
  const double room = share * context.seconds_left() / repetitions / static_cast<double>(ways.size());
  return rounds_within(room, run.seconds(*cycles) / static_cast<double>(tried), least, most);
}

/// What is listed of the modifications: entries, and what an entry says.
std::uint64_t listed(const ArmRun& run) {
  return run.report.guarded.ranges.empty() ? 0 : run.report.guarded.ranges.front().writes;
}

std::string told_of(const ArmRun& run) {
  if (run.report.guarded.accesses.empty()) return "nothing";
  const stats::MemoryAccess& access = run.report.guarded.accesses.front();
  std::string told = access.width != 0 ? "address, width" : "page";
  if (access.value) told += ", value";
  if (access.rip) told += ", RIP";
  if (access.vcpu) told += ", vCPU";
  return told;
}

std::string_view when_of(std::size_t way) {
  static constexpr std::array<std::string_view, ways.size()> when = {"-", "at the write", "within 10 ms",
                                                                     "by the vCPU's next exit"};
  return when[way];
}

/// Whether the hardware notes modified pages by itself; why not, where it does not.
std::string page_modification_log() {
  std::ifstream file("/sys/module/kvm_intel/parameters/pml");
  std::string value;
  if (!(file >> value)) return "this host's KVM is not kvm_intel, whose hardware has such a log";
  return value == "Y" || value == "1" ? "" : "kvm_intel does without it (its parameter pml is off)";
}

std::vector<ExperimentCell> row_of(std::size_t way, const std::vector<ArmRun>& runs, std::uint64_t writes) {
  const auto each = [writes](double value) { return value / static_cast<double>(writes); };
  return {
      std::string(ways[way].name),
      std::string(ways[way].what),
      spread_over(
          runs, [&](const ArmRun& run) -> std::optional<double> { return static_cast<double>(listed(run)); }),
      spread_over(runs,
                  [&](const ArmRun& run) -> std::optional<double> {
                    return each(static_cast<double>(exits_of_work(run, loop_mark)));
                  }),
      spread_over(runs,
                  [&](const ArmRun& run) -> std::optional<double> {
                    const auto all = run.report.snapshot.kernel_exits();
                    return all ? std::optional(each(static_cast<double>(*all))) : std::nullopt;
                  }),
      spread_over(runs,
                  [&](const ArmRun& run) -> std::optional<double> {
                    const auto cycles = run.guest.figure(loop, "cycles");
                    return cycles ? std::optional(each(run.seconds(*cycles))) : std::nullopt;
                  }),
      told_of(runs.front()),
      std::string(when_of(way))};
}

std::optional<double> median_of_cell(const report::ExperimentTable& table, std::size_t row,
                                     std::size_t column) {
  if (column >= table.rows[row].cells.size()) return std::nullopt;
  const auto* spread = std::get_if<report::Spread>(&table.rows[row].cells[column]);
  return spread != nullptr ? std::optional(spread->median) : std::nullopt;
}

std::string answer_of(const report::ExperimentTable& table, std::uint64_t writes) {
  constexpr std::size_t listed_column = 2, time_column = 5;
  std::array<std::optional<double>, ways.size()> entries, times;
  for (std::size_t i = 0; i < ways.size(); ++i) {
    entries[i] = median_of_cell(table, i, listed_column);
    times[i] = median_of_cell(table, i, time_column);
  }
  if (!times[unwatched] || !times[by_exit] || !times[by_bitmap])
    return "The figures support no answer: not all arms could be run.";
  std::string answer = fmt::format(
      "Of {} writes to two pages, serving each lists {:.0f} with address and value at {} a write; the bitmap "
      "lists {:.0f} modified pages at {} a write",
      writes, entries[by_exit].value_or(0), report::duration(*times[by_exit]), entries[by_bitmap].value_or(0),
      report::duration(*times[by_bitmap]));
  if (times[by_ring]) {
    answer += fmt::format(", the ring {:.0f} at {}", entries[by_ring].value_or(0),
                          report::duration(*times[by_ring]));
  }
  return answer + fmt::format("; unwatched, a write takes {}.", report::duration(*times[unwatched]));
}

}  // namespace

void run_introspect(Context& context, report::ExperimentResult& result) {
  const std::uint64_t writes = writes_of(context);
  std::vector<Arm> arms;
  for (const Way& way : ways) arms.push_back(arm_of(way, writes));
  const std::vector<std::vector<ArmRun>> runs = context.interleave(arms);

  report::ExperimentTable table{.id = "introspect",
                                .title = "What is known of a guest's modifications, and what it costs",
                                .columns = {{"way", "way", Unit::words},
                                            {"what", "how", Unit::words, 4},
                                            {"listed", "listed", Unit::count},
                                            {"exits", "returns/write", Unit::ratio},
                                            {"kernel_exits", "exits/write", Unit::ratio, 3},
                                            {"write_s", "time/write", Unit::seconds},
                                            {"told", "tells", Unit::words, 1},
                                            {"when", "when", Unit::words, 2}},
                                .rows = {},
                                .notes = {}};
  for (std::size_t i = 0; i < ways.size(); ++i) {
    // A host without dirty rings is no failure.
    if (runs[i].front().failed() && i == by_ring) {
      table.add_not_here({std::string(ways[i].name), std::string(ways[i].what)}, runs[i].front().failure);
      continue;
    }
    if (const auto why = failed(runs[i], result)) {
      table.add_not_here({std::string(ways[i].name), std::string(ways[i].what)}, *why);
      continue;
    }
    table.add(row_of(i, runs[i], writes));
    for (std::size_t turn = 0; turn < runs[i].size(); ++turn) {
      const ArmRun& run = runs[i][turn];
      if (run.failed()) continue;
      const std::string what = fmt::format("{}, repetition {}", ways[i].name, turn + 1);
      result.expect(what + ": returns for writes", i == by_exit ? writes : 0,
                    run.exits_in(loop_mark, KVM_EXIT_MMIO).count);
      if (i == by_exit) result.expect(what + ": writes listed", writes, listed(run));
    }
  }
  if (const std::string why = page_modification_log(); why.empty()) {
    table.notes.emplace_back(
        "kvm_intel has the hardware's page-modification log (parameter pml is on): by the bitmap and by the "
        "ring, the first write to a page costs no exit of its own.");
  } else {
    table.add_not_here({std::string("pml"), std::string("the hardware's page-modification log")}, why);
  }
  table.notes.push_back(fmt::format(
      "{} writes of 8 bytes to two pages in turn, by the guest's clock. Returns are those of KVM_RUN "
      "among the writes; exits are KVM's own count over the whole run, its start and end included.",
      writes));
  result.answer = answer_of(table, writes);
  result.tables.push_back(std::move(table));
}

}  // namespace kvmbench::experiments
