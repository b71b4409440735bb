// protect: guarded memory: whether all accesses are caught, and what one costs.

#include <fmt/format.h>

#include <array>

#include "experiments/devices.hpp"
#include "experiments/experiment.hpp"
#include "report/units.hpp"
#include "vmm/linux_kvm.hpp"

namespace kvmbench::experiments {

void run_protect(Context& context, report::ExperimentResult& result);

namespace {

using report::ExperimentCell;
using Unit = report::ExperimentColumn::Unit;

constexpr std::string_view range = "0x1000000-0x1001fff";  // that guests/touch.c reaches for
constexpr std::string_view elsewhere = "0x2000000-0x2001fff";

/// A way in which guests/touch.c reaches for the range, a phase each, and the accesses that it makes.
struct Way {
  std::string_view name;
  std::string_view what;
  std::uint64_t reads, writes;
};
constexpr std::array ways{
    Way{"read1", "MOV from it, 1 byte", 1, 0},
    Way{"read2", "2 bytes", 1, 0},
    Way{"read4", "4 bytes", 1, 0},
    Way{"read8", "8 bytes", 1, 0},
    Way{"write1", "MOV to it, 1 byte", 0, 1},
    Way{"write2", "2 bytes", 0, 1},
    Way{"write4", "4 bytes", 0, 1},
    Way{"write8", "8 bytes", 0, 1},
    Way{"add", "ADD to it", 1, 1},
    Way{"xchg", "XCHG with it", 1, 1},
    Way{"string", "REP STOSB over a page's end", 0, 8},
    Way{"push", "PUSH with RSP in it", 0, 1},
    Way{"alias", "by another linear address", 1, 1},
    Way{"moved", "by a page-table entry edited", 1, 1},
    Way{"user", "in ring 3", 1, 1},
};
constexpr std::uint8_t first_mark = 0x70, loop_mark = 0x7f;
constexpr std::string_view loop = "loop";

std::string all_ways() {
  std::string names;
  for (const Way& way : ways) names += (names.empty() ? "" : ",") + std::string(way.name);
  return names;
}

Arm arm_of(std::string name, const std::string& command_line, const std::string& protect) {
  Arm arm = guest_arm(std::move(name), "@touch", command_line);
  if (!protect.empty()) arm.options.protect = {protect};
  return arm;
}

/// Whether each access came out, in each way, with the memory off limits and read-only.
struct Catch {
  report::ExperimentTable table;
  std::uint64_t due = 0, caught = 0;
};

Catch catch_all(Context& context, report::ExperimentResult& result) {
  Catch found{.table = {.id = "protect-ways",
                        .title = "Accesses of protected memory that were caught",
                        .columns = {{"way", "way", Unit::words},
                                    {"what", "what the guest does", Unit::words, 2},
                                    {"none_due", "none: due", Unit::count},
                                    {"none_caught", "caught", Unit::count},
                                    {"ro_due", "ro: due", Unit::count},
                                    {"ro_caught", "caught", Unit::count}},
                        .rows = {},
                        .notes = {}}};
  const std::string command_line = "kinds=" + all_ways();
  const ArmRun none = context.run(arm_of("none, all ways", command_line, fmt::format("{}:none", range)));
  const ArmRun ro = context.run(arm_of("ro, all ways", command_line, fmt::format("{}:ro", range)));
  for (const ArmRun* run : {&none, &ro}) {
    if (run->failed()) result.failures.push_back(run->failure);
  }
  for (std::size_t i = 0; i < ways.size(); ++i) {
    const Way& way = ways[i];
    if (none.failed() || ro.failed()) {
      found.table.add_not_here({std::string(way.name), std::string(way.what)},
                               none.failed() ? none.failure : ro.failure);
      continue;
    }
    const auto caught = [&](const ArmRun& run) {
      return run.exits_in(static_cast<std::uint8_t>(first_mark + i), KVM_EXIT_MMIO).count;
    };
    const std::uint64_t due = way.reads + way.writes;
    found.table.add({std::string(way.name), std::string(way.what), static_cast<double>(due),
                     static_cast<double>(caught(none)), static_cast<double>(way.writes),
                     static_cast<double>(caught(ro))});
    result.expect(fmt::format("{}: accesses caught, none", way.name), due, caught(none));
    result.expect(fmt::format("{}: writes caught, ro", way.name), way.writes, caught(ro));
    found.due += due + way.writes;
    found.caught += std::min(due, caught(none)) + std::min(way.writes, caught(ro));
  }
  return found;
}

/// What a write in a loop costs.
struct Cost {
  std::string_view name;
  std::string_view what;
  std::string protect;  ///< the option's value
  std::uint64_t exits;  ///< of a write
};

std::vector<Cost> costs() {
  return {{"unprotected", "no memory is protected", "", 0},
          {"beside", "other memory is protected", fmt::format("{}:none", elsewhere), 0},
          {"none", "off limits", fmt::format("{}:none", range), 1},
          {"ro", "read-only", fmt::format("{}:ro", range), 1},
          {"inject", "off limits, and a machine check", fmt::format("{}:none,action=inject", range), 1}};
}

std::uint64_t writes_of(Context& context, std::size_t arms) {
  constexpr std::uint64_t tried = 200, least = 100, most = 1u << 20;
  constexpr double repetitions = 5, share = 0.5;
  const ArmRun run = context.try_out(
      arm_of("inject", fmt::format("kinds=loop n={}", tried), fmt::format("{}:none,action=inject", range)));
  const auto cycles = run.guest.figure(loop, "cycles");
  if (run.failed() || !cycles) return least;
  const double room = share * context.seconds_left() / repetitions / static_cast<double>(arms);
  return rounds_within(room, run.seconds(*cycles) / static_cast<double>(tried), least, most);
}

}  // namespace

void run_protect(Context& context, report::ExperimentResult& result) {
  Catch found = catch_all(context, result);
  const std::vector<Cost> all = costs();
  const std::uint64_t writes = writes_of(context, all.size());
  std::vector<Arm> arms;
  for (const Cost& cost : all)
    arms.push_back(arm_of(std::string(cost.name), fmt::format("kinds=loop n={}", writes), cost.protect));
  const std::vector<std::vector<ArmRun>> runs = context.interleave(arms);

  report::ExperimentTable table{.id = "protect-cost",
                                .title = "What a write costs",
                                .columns = {{"memory", "memory", Unit::words},
                                            {"what", "what it is", Unit::words, 2},
                                            {"exits", "exits/write", Unit::ratio},
                                            {"write_s", "time/write", Unit::seconds},
                                            {"service_s", "service", Unit::seconds, 1}},
                                .rows = {},
                                .notes = {}};
  std::array<std::optional<report::Spread>, 5> time;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string name(all[i].name), what(all[i].what);
    if (const auto why = failed(runs[i], result)) {
      table.add_not_here({name, what}, *why);
      continue;
    }
    const auto of_writes = [](const ArmRun& run) { return run.exits_in(loop_mark, KVM_EXIT_MMIO); };
    const ExperimentCell write = spread_over(runs[i], [&](const ArmRun& run) -> std::optional<double> {
      const auto cycles = run.guest.figure(loop, "cycles");
      return cycles ? std::optional(run.seconds(*cycles) / static_cast<double>(writes)) : std::nullopt;
    });
    if (const auto* spread = std::get_if<report::Spread>(&write)) time[i] = *spread;
    table.add({name, what,
               spread_over(runs[i],
                           [&](const ArmRun& run) -> std::optional<double> {
                             return static_cast<double>(of_writes(run).count) / static_cast<double>(writes);
                           }),
               write, spread_over(runs[i], [&](const ArmRun& run) -> std::optional<double> {
                 const stats::TimeStats service = of_writes(run).service;
                 return service.count() == 0 ? std::nullopt : std::optional(run.seconds(service.mean()));
               })});
    for (std::size_t turn = 0; turn < runs[i].size(); ++turn) {
      if (runs[i][turn].failed()) continue;
      result.expect(fmt::format("{}: exits of writes, repetition {}", name, turn + 1), writes * all[i].exits,
                    of_writes(runs[i][turn]).count);
    }
  }
  table.notes.push_back(
      fmt::format("{} writes of 8 bytes that go round two pages, by the guest's clock.", writes));
  found.table.notes.emplace_back("Reads of what is read-only are the guest's own affair and not due.");

  if (found.due == 0 || !time[0] || !time[1] || !time[2]) {
    result.answer = "The figures support no answer: not all arms could be run.";
  } else {
    const bool pays = clearly_less(*time[0], *time[1]);
    result.answer = fmt::format(
        "{} of {} accesses were caught; a write that is caught takes {}, one of other memory {} with "
        "protection "
        "and {} without{}.",
        found.caught, found.due, report::duration(time[2]->median), report::duration(time[1]->median),
        report::duration(time[0]->median), pays ? "" : ", which is no difference beyond how far they vary");
  }
  result.tables.push_back(std::move(found.table));
  result.tables.push_back(std::move(table));
}

}  // namespace kvmbench::experiments
