// paging: what work on memory costs under nested and under shadow paging.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "experiments/devices.hpp"
#include "experiments/exit_reasons.hpp"
#include "experiments/experiment.hpp"
#include "experiments/saved_table.hpp"
#include "report/units.hpp"
#include "vmm/host_facts.hpp"

namespace kvmbench::experiments {

void run_paging(Context& context, report::ExperimentResult& result);

namespace {

using report::ExperimentCell;
using Unit = report::ExperimentColumn::Unit;

/// An op of guests/paging.c: the n-th is its phase 0x80 + n.
struct Work {
  std::string_view op;
  std::string_view name;
};
constexpr std::array works{
    Work{"nothing", "nothing"},
    Work{"fresh", "first write to 4 KiB"},
    Work{"fresh-2m", "first write to 2 MiB"},
    Work{"again", "write to a touched page"},
    Work{"map", "entry made present, write"},
    Work{"remap", "entry changed, INVLPG, write"},
    Work{"protect", "entry read-only and back, 2 INVLPG, write"},
    Work{"cr3-same", "CR3 written, unchanged"},
    Work{"cr3-switch", "CR3 switched, write"},
    Work{"cr3-pcid", "CR3 switched with PCID, write"},
    Work{"flush", "CR4.PGE toggled, 8 writes"},
    Work{"invlpg", "INVLPG, write"},
};
constexpr std::string_view boot_name = "Linux boot";
constexpr std::uint8_t first_mark = 0x80;
constexpr unsigned repetitions = 5;

Arm arm_of(std::uint64_t rounds) {
  return guest_arm("paging", "@paging", fmt::format("n={}", rounds));
}

std::uint64_t rounds_within(Context& context) {
  constexpr std::uint64_t tried = 50, more = 250;
  const ArmRun few = context.try_out(arm_of(tried)), some = context.try_out(arm_of(more));
  const double a_round = std::max((some.wall_seconds - few.wall_seconds) / (more - tried), 1e-6);
  const double each = 0.8 * context.seconds_left() / repetitions;
  return experiments::rounds_within(std::max(each - few.wall_seconds, 0.0), a_round, tried, 20'000);
}

/// "nested (npt)", "shadow (...)", or why that is unknown.
std::string paging_of_host() {
  for (const auto& [name, value] : host_facts())
    if (name == "paging") return value;
  return "unknown";
}

/// "nested" or "shadow": a title's word.
std::string word_of(std::string_view paging) {
  return std::string(paging.substr(0, paging.find(' ')));
}

constexpr std::string_view costs_id = "paging", reasons_id = "paging-reasons";

/// What another host has saved.
struct Other {
  SavedTable costs, reasons;
};

/// What the work costs, and of which reasons its exits are: the same rows.
struct Tables {
  report::ExperimentTable costs, reasons;

  void add_not_here(std::string_view work, const std::string& why) {
    costs.add_not_here({std::string(work)}, why);
    reasons.add({std::string(work), std::string("not here")});
  }
};

Tables tables_of(const std::string& here) {
  return {.costs = {.id = std::string(costs_id),
                    .title = "What work on memory costs",
                    .columns = {{"work", "work", Unit::words},
                                {"exits", here + ": exits", Unit::ratio},
                                {"time_s", here + ": time", Unit::seconds},
                                {"rounds", "rounds", Unit::count, 2}},
                    .rows = {},
                    .notes = {}},
          .reasons = {.id = std::string(reasons_id),
                      .title = "Its exits by reason",
                      .columns = {{"work", "work", Unit::words}, {"reasons", here, Unit::words}},
                      .rows = {},
                      .notes = {}}};
}

void add_row(Tables& tables, std::size_t number, const std::vector<ArmRun>& runs,
             const std::vector<ArmRun>& alone, report::ExperimentResult& result) {
  const Work& work = works[number];
  const std::string arm(work.op);
  const Amount rounds = amount_of(arm, "rounds");
  double done = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto of_run = runs[i].failed() ? std::nullopt : rounds(runs[i]);
    if (!of_run) continue;
    done += *of_run;
    // The mark that ends the phase, and nothing else.
    result.expect(fmt::format("{}, repetition {}: returns of KVM_RUN", work.op, i + 1), 1,
                  runs[i].exits_in(static_cast<std::uint8_t>(first_mark + number)).count);
  }
  const auto time = spread_over(runs, [&](const ArmRun& run) -> std::optional<double> {
    const auto cycles = run.guest.figure(arm, "cycles"), of_run = rounds(run);
    return cycles && of_run && *of_run > 0 ? std::optional(run.seconds(*cycles) / *of_run) : std::nullopt;
  });
  tables.costs.add({std::string(work.name), exits_per(runs, arm, rounds), time, done});
  tables.reasons.add({std::string(work.name), alone.empty()
                                                  ? reasons_per(runs, arm, rounds, {})
                                                  : reasons_per({alone[1]}, arm, rounds, alone[0])});
}

Arm boot_arm(const ContextOptions& options) {
  Arm arm = guest_arm("linux-boot", *options.kernel, options.kernel_command_line);
  arm.options.initrd = options.initrd;
  return arm;
}

/// Of a whole run: all exits, by reason in one boot.
void add_boot(Tables& tables, const std::vector<ArmRun>& runs) {
  const auto exits = spread_over(runs, [](const ArmRun& run) -> std::optional<double> {
    const auto all = run.report.snapshot.kernel_exits();
    return all ? std::optional(static_cast<double>(*all)) : std::nullopt;
  });
  const auto time = spread_over(runs, [](const ArmRun& run) { return std::optional(run.wall_seconds); });
  const auto booted =
      std::count_if(runs.begin(), runs.end(), [](const ArmRun& run) { return !run.failed(); });
  tables.costs.add({std::string(boot_name), exits, time, static_cast<double>(booted)});
  tables.reasons.add({std::string(boot_name), reasons_of_whole_runs(runs)});
}

/// Columns of another host's table beside this one's: keys there, and the same here.
void add_columns(report::ExperimentTable& table, const SavedTable& other,
                 const std::vector<std::pair<std::string_view, report::ExperimentColumn>>& columns) {
  const std::size_t before = table.columns.size();
  for (const auto& [key, column] : columns) table.columns.push_back(column);
  for (report::ExperimentRow& row : table.rows) {
    const std::string name = std::get<std::string>(row.cells.front());
    row.cells.resize(before);
    for (const auto& [key, column] : columns) row.cells.push_back(other.cell(name, key));
  }
}

void add_other(Tables& tables, const Other& other) {
  const std::string there = word_of(other.costs.host_fact("paging"));
  const std::string title = tables.reasons.columns[1].title == there ? "other " + there : there;
  add_columns(tables.costs, other.costs,
              {{"exits", {"other_exits", title + ": exits", Unit::ratio}},
               {"time_s", {"other_time_s", title + ": time", Unit::seconds, 1}}});
  add_columns(tables.reasons, other.reasons, {{"reasons", {"other_reasons", title, Unit::words}}});
  tables.costs.notes.push_back(fmt::format("The other figures are of a host with {} paging, whose CPU is {}.",
                                           other.costs.host_fact("paging"), other.costs.host_fact("cpu")));
}

std::optional<double> median_of(const report::ExperimentRow& row, std::size_t column) {
  const auto* exits = column < row.cells.size() ? std::get_if<report::Spread>(&row.cells[column]) : nullptr;
  return exits != nullptr ? std::optional(exits->median) : std::nullopt;
}

/// Of two hosts: which work has more exits under which paging.
std::string comparison_of(const report::ExperimentTable& table, const std::string& here,
                          const std::string& there) {
  constexpr std::size_t own = 1, other = 4;  // columns
  constexpr double apart = 0.5;              // exits a round: what else goes on is less
  std::size_t compared = 0, more_here = 0, more_there = 0;
  double widest = 0;
  std::string example;
  for (const report::ExperimentRow& row : table.rows) {
    const auto one = median_of(row, own), two = median_of(row, other);
    const std::string& name = std::get<std::string>(row.cells.front());
    if (!one || !two || name == boot_name) continue;
    ++compared;
    if (*one - *two >= apart) ++more_here;
    if (*two - *one >= apart) ++more_there;
    if (std::abs(*two - *one) <= widest) continue;
    widest = std::abs(*two - *one);
    example = fmt::format("{}: {} and {} exits a round", name, report::ratio(*two), report::ratio(*one));
  }
  if (compared == 0) return "The figures support no answer: exits were not counted on both hosts.";
  if (more_here + more_there == 0)
    return fmt::format("None of {} kinds of work has other exits under {} than under {} paging.", compared,
                       here, there);
  return fmt::format(
      "Of {} kinds of work {} have more exits under {} than under {} paging, {} fewer; widest apart is {}.",
      compared, more_there, there, here, more_here, example);
}

/// By what does not depend on how fresh the host's memory is.
std::string answer_of(const report::ExperimentTable& table, const std::string& paging) {
  double most = -1;
  std::string dearest, causing;
  for (const report::ExperimentRow& row : table.rows) {
    const auto exits = median_of(row, 1);
    const std::string& name = std::get<std::string>(row.cells.front());
    if (!exits || name == boot_name) continue;
    if (*exits >= 0.5) causing += (causing.empty() ? "" : "; ") + name;
    if (*exits > most) most = *exits, dearest = name;
  }
  if (most < 0) return "The figures support no answer: this kernel counts no exits.";
  if (causing.empty())
    return fmt::format("Under {} paging none of this work causes an exit in every other round.", paging);
  return fmt::format("Under {} paging these cause exits: {}. The most, {} a round: {}.", paging, causing,
                     report::ratio(most), dearest);
}

}  // namespace

void run_paging(Context& context, report::ExperimentResult& result) {
  const ContextOptions& options = context.options();
  std::optional<Other> other;
  if (options.with)
    other = {.costs = SavedTable::read(*options.with, "paging", costs_id),
             .reasons = SavedTable::read(*options.with, "paging", reasons_id)};
  std::vector<Arm> arms{arm_of(rounds_within(context))};
  if (options.kernel) arms.push_back(boot_arm(options));
  const std::vector<std::vector<ArmRun>> runs = context.interleave(arms, repetitions);
  for (std::size_t i = 0; i < runs.size(); ++i)
    for (const ArmRun& run : runs[i])
      if (run.failed()) result.failures.push_back(fmt::format("{}: {}", arms[i].name, run.failure));

  const std::string paging = paging_of_host(), here = word_of(paging);
  Tables tables = tables_of(here);
  const bool traced = has_hardware_reasons(runs.front());
  for (std::size_t i = 0; i < works.size(); ++i) {
    const std::string op(works[i].op);
    const auto why = runs.front().front().guest.unavailable.find(op);
    if (why != runs.front().front().guest.unavailable.end()) {
      tables.add_not_here(works[i].name, why->second);
      continue;
    }
    std::vector<ArmRun> alone;  // KVM's counters are of whole runs: without the op, and with it alone
    if (!traced) {
      for (const std::string_view one : {std::string_view("nothing"), works[i].op})
        alone.push_back(context.try_out(guest_arm("paging", "@paging", fmt::format("n=200 op={}", one))));
    }
    add_row(tables, i, runs.front(), alone, result);
  }
  if (options.kernel)
    add_boot(tables, runs.back());
  else
    tables.add_not_here(boot_name, "no kernel was given (--kernel, --initrd)");
  std::vector<std::string>& notes = tables.costs.notes;
  notes.push_back(fmt::format("This host's paging: {}.", paging));
  notes.emplace_back(
      "Exits, by the kernel's own count, and times are a round's; those of the boot are the whole of it.");
  tables.reasons.notes.push_back(where_reasons_are_from(runs));
  if (other) add_other(tables, *other);
  result.answer = other ? comparison_of(tables.costs, here, tables.reasons.columns.back().title)
                        : answer_of(tables.costs, here);
  result.tables.push_back(std::move(tables.costs));
  result.tables.push_back(std::move(tables.reasons));
}

}  // namespace kvmbench::experiments
