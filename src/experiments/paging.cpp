// paging: what work on memory costs under nested and under shadow paging.

#include <fmt/format.h>

#include <algorithm>
#include <array>

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

std::vector<report::ExperimentColumn> columns(const std::string& here) {
  return {{"work", "work", Unit::words},
          {"exits", here + ": exits", Unit::ratio},
          {"reasons", here + ": by reason", Unit::words, 1},
          {"time_s", here + ": time", Unit::seconds},
          {"rounds", "rounds", Unit::count, 4}};
}

std::vector<ExperimentCell> row_of(std::size_t number, const std::vector<ArmRun>& runs,
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
  return {std::string(work.name), exits_per(runs, arm, rounds),
          alone.empty() ? reasons_per(runs, arm, rounds, {}) : reasons_per({alone[1]}, arm, rounds, alone[0]),
          time, done};
}

Arm boot_arm(const ContextOptions& options) {
  Arm arm = guest_arm("linux-boot", *options.kernel, options.kernel_command_line);
  arm.options.initrd = options.initrd;
  return arm;
}

/// Of a whole run: all exits, by reason in one boot.
std::vector<ExperimentCell> boot_row(const std::vector<ArmRun>& runs) {
  const auto exits = spread_over(runs, [](const ArmRun& run) -> std::optional<double> {
    const auto all = run.report.snapshot.kernel_exits();
    return all ? std::optional(static_cast<double>(*all)) : std::nullopt;
  });
  const auto time = spread_over(runs, [](const ArmRun& run) { return std::optional(run.wall_seconds); });
  return {std::string(boot_name), exits, reasons_of_whole_runs(runs), time,
          static_cast<double>(
              std::count_if(runs.begin(), runs.end(), [](const ArmRun& run) { return !run.failed(); }))};
}

/// The columns of another host's table beside this one's.
void add_other(report::ExperimentTable& table, const SavedTable& other) {
  const std::string there = word_of(other.host_fact("paging"));
  const std::string title = table.columns[1].title.starts_with(there + ":") ? "other " + there : there;
  table.columns.push_back({"other_exits", title + ": exits", Unit::ratio});
  table.columns.push_back({"other_reasons", title + ": by reason", Unit::words, 2});
  table.columns.push_back({"other_time_s", title + ": time", Unit::seconds, 3});
  for (report::ExperimentRow& row : table.rows) {
    const std::string& name = std::get<std::string>(row.cells.front());
    std::vector<ExperimentCell> cells{other.cell(name, "exits"), other.cell(name, "reasons"),
                                      other.cell(name, "time_s")};
    if (!row.not_here.empty()) {
      const bool there_too =
          std::all_of(cells.begin(), cells.end(), [](const auto& cell) { return cell.index() == 0; });
      if (there_too) continue;
      row.cells.resize(table.columns.size() - cells.size());
      row.cells[2] = "not here: " + row.not_here;
      row.not_here.clear();
    }
    row.cells.insert(row.cells.end(), cells.begin(), cells.end());
  }
  table.notes.push_back(fmt::format("The other figures are of a host with {} paging, whose CPU is {}.",
                                    other.host_fact("paging"), other.host_fact("cpu")));
}

/// By what does not depend on how fresh the host's memory is.
std::string answer_of(const report::ExperimentTable& table, const std::string& paging) {
  double most = -1;
  std::string dearest, causing;
  for (const report::ExperimentRow& row : table.rows) {
    const auto* exits = row.cells.size() > 1 ? std::get_if<report::Spread>(&row.cells[1]) : nullptr;
    const std::string& name = std::get<std::string>(row.cells.front());
    if (exits == nullptr || name == boot_name) continue;
    if (exits->median >= 0.5) causing += (causing.empty() ? "" : ", ") + name;
    if (exits->median > most) most = exits->median, dearest = name;
  }
  if (most < 0) return "The figures support no answer: this kernel counts no exits.";
  if (causing.empty())
    return fmt::format("Under {} paging none of this work causes an exit in every other round.", paging);
  return fmt::format("Under {} paging these cause exits: {}; the most, {} a round, {}.", paging, causing,
                     report::ratio(most), dearest);
}

}  // namespace

void run_paging(Context& context, report::ExperimentResult& result) {
  const ContextOptions& options = context.options();
  const std::optional<SavedTable> other =
      options.with ? std::optional(SavedTable::read(*options.with, "paging", "paging")) : std::nullopt;
  std::vector<Arm> arms{arm_of(rounds_within(context))};
  if (options.kernel) arms.push_back(boot_arm(options));
  const std::vector<std::vector<ArmRun>> runs = context.interleave(arms, repetitions);
  for (std::size_t i = 0; i < runs.size(); ++i)
    for (const ArmRun& run : runs[i])
      if (run.failed()) result.failures.push_back(fmt::format("{}: {}", arms[i].name, run.failure));

  const std::string paging = paging_of_host();
  report::ExperimentTable table{.id = "paging",
                                .title = "What work on memory costs",
                                .columns = columns(word_of(paging)),
                                .rows = {},
                                .notes = {}};
  const bool traced = has_hardware_reasons(runs.front());
  for (std::size_t i = 0; i < works.size(); ++i) {
    const std::string op(works[i].op);
    const auto why = runs.front().front().guest.unavailable.find(op);
    if (why != runs.front().front().guest.unavailable.end()) {
      table.add_not_here({std::string(works[i].name)}, why->second);
      continue;
    }
    std::vector<ArmRun> alone;  // KVM's counters are of whole runs: without the op, and with it alone
    if (!traced) {
      for (const std::string_view one : {std::string_view("nothing"), works[i].op})
        alone.push_back(context.try_out(guest_arm("paging", "@paging", fmt::format("n=200 op={}", one))));
    }
    table.add(row_of(i, runs.front(), alone, result));
  }
  if (options.kernel)
    table.add(boot_row(runs.back()));
  else
    table.add_not_here({std::string(boot_name)}, "no kernel was given (--kernel, --initrd)");
  table.notes.push_back(fmt::format("This host's paging: {}.", paging));
  table.notes.emplace_back(
      "Exits, by the kernel's own count, and times are a round's; those of the boot are the whole of it.");
  table.notes.push_back(where_reasons_are_from(runs));
  if (other) add_other(table, *other);
  result.answer = answer_of(table, word_of(paging));
  result.tables.push_back(std::move(table));
}

}  // namespace kvmbench::experiments
