// single-step: architectural correctness under exits.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "experiments/experiment.hpp"
#include "vmm/ending.hpp"
#include "vmm/linux_kvm.hpp"

namespace kvmbench::experiments {

void run_single_step(Context& context, report::ExperimentResult& result);

namespace {

using Unit = report::ExperimentColumn::Unit;

/// A case of guests/step.c, and where the manuals say what is due.
struct Case {
  std::string_view name;
  std::string_view manual;
  /// A single access that the instruction makes, where it does: KVM_EXIT_* and its address.
  std::uint32_t reason = KVM_EXIT_UNKNOWN;
  std::uint64_t address = 0;
};

constexpr std::string_view trap = "SDM 3B 18.3.1.4; APM 2 13.1.4";
constexpr std::string_view repeated = "SDM 3B 18.3.1.4; SDM 2B, REP: each iteration is a boundary";
constexpr std::string_view order = "SDM 3A table 6-2: traps before interrupts";
constexpr std::string_view sti = "SDM 2B, STI: holds interrupts back, not exceptions";
constexpr std::string_view mov_ss = "SDM 3A 6.8.3: holds the trap back for one instruction";
constexpr std::string_view halted = "SDM 2A, HLT: a debug exception ends it";
constexpr std::string_view moved = "the bytes of either page are moved, once";

constexpr std::array cases{
    Case{"nop", trap},
    Case{"out", trap, KVM_EXIT_IO, 0x2f00},
    Case{"in", trap, KVM_EXIT_IO, 0x2f00},
    Case{"mmio-read", trap, KVM_EXIT_MMIO, 0xdf000000},
    Case{"mmio-write", trap, KVM_EXIT_MMIO, 0xdf000004},
    Case{"mmio-add", trap},
    Case{"mmio-movs", trap, KVM_EXIT_MMIO, 0xdf000000},
    Case{"cpuid", trap},
    Case{"mov-cr3", trap},
    Case{"invlpg", trap},
    Case{"wbinvd", trap},
    Case{"rdmsr", trap},
    Case{"wrmsr", trap},
    Case{"hlt", halted},
    Case{"rep-outsb", repeated},
    Case{"rep-insb", repeated},
    Case{"rep-stosb-mmio", repeated},
    Case{"wrmsr-interrupt", order},
    Case{"sti-nop", sti},
    Case{"sti-out", sti},
    Case{"sti-in", sti},
    Case{"sti-cpuid", sti},
    Case{"sti-hlt", sti},
    Case{"mov-ss-nop", mov_ss},
    Case{"mov-ss-out", mov_ss, KVM_EXIT_IO, 0x2f00},
    Case{"mov-ss-in", mov_ss, KVM_EXIT_IO, 0x2f00},
    Case{"mov-ss-cpuid", mov_ss},
    Case{"mov-ss-mmio-read", mov_ss, KVM_EXIT_MMIO, 0xdf000000},
    Case{"mov-ss-mmio-write", mov_ss, KVM_EXIT_MMIO, 0xdf000004},
    Case{"out-page-end", trap, KVM_EXIT_IO, 0xee},
    Case{"outs-page-end", moved},
    Case{"ins-page-end", moved},
    Case{"mmio-read-page-end", moved},
    Case{"mmio-write-page-end", moved},
    Case{"mmio-read8-page-end", moved},
    Case{"mmio-write8-page-end", moved},
    Case{"read-mmio-then-ram", moved},
    Case{"read-ram-then-mmio", moved},
    Case{"write-mmio-then-ram", moved},
    Case{"write-ram-then-mmio", moved},
    Case{"step-read-page-end", trap},
    Case{"step-write-page-end", trap},
};
constexpr std::string_view control = "nop";

/// The guest's lists: two decimal digits an event.
std::string events_in_words(std::uint64_t events) {
  static constexpr std::array<std::string_view, 5> what = {"?", "#DB", "#DB with another DR6", "interrupt",
                                                           "timer"};
  std::vector<std::string> words;
  for (std::uint64_t left = events; left != 0; left /= 100) {
    const std::uint64_t event = left / 10 % 10, place = left % 10;
    const std::string_view where = place == 0   ? " before it"
                                   : place == 1 ? " after it"
                                   : place == 2 ? " after the NOP"
                                                : " too late";
    words.push_back(fmt::format("{}{}", event < what.size() ? what[event] : what[0], where));
  }
  std::reverse(words.begin(), words.end());
  return words.empty() ? "nothing" : fmt::format("{}", fmt::join(words, ", "));
}

/// A guest that KVM could not run on, that shut down or that never came back is a finding.
bool is_finding(const ArmRun& run) {
  using Kind = Ending::Kind;
  for (const Kind kind : {Kind::kvm_failure, Kind::triple_fault, Kind::timeout}) {
    if (run.status == exit_status({.kind = kind, .value = 0, .text = {}})) return true;
  }
  return false;
}

struct Verdict {
  std::string due = "-", came, data = "-";
  bool passed = false;
};

Verdict verdict_of(std::string_view name, const ArmRun& run) {
  if (run.failed()) return {.came = run.failure};
  const auto number = [&](std::string_view key) { return run.guest.number(name, key).value_or(0); };
  return {.due = events_in_words(number("due")),
          .came = events_in_words(number("came")),
          .data = number("right") == 1 ? "right" : "wrong",
          .passed = number("pass") == 1};
}

std::uint64_t transfers_at(const ArmRun& run, const Case& one) {
  std::uint64_t sum = 0;
  for (const stats::KeyStats& key : by_key(run.report.snapshot, stats::Phases::merged)) {
    if (key.key.reason == one.reason && key.key.address == one.address) sum += key.transfers;
  }
  return sum;
}

/// One access, and another at the same port where an interrupt is waited for.
void expect_exits(const Case& one, const std::vector<ArmRun>& runs, report::ExperimentResult& result) {
  if (one.reason == KVM_EXIT_UNKNOWN) return;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (runs[i].failed()) continue;
    result.expect(fmt::format("{}: accesses, repetition {}", one.name, i + 1), 1, transfers_at(runs[i], one));
  }
}

enum class Outcome { passed, differs, not_here };

Outcome add_row(const Case& one, const std::vector<ArmRun>& runs, report::ExperimentTable& table,
                report::ExperimentResult& result) {
  const ArmRun& first = runs.front();
  if (first.failed() && !is_finding(first)) {
    result.failures.push_back(first.failure);
    table.add_not_here({std::string(one.name)}, first.failure);
    return Outcome::not_here;
  }
  if (const auto why = first.guest.unavailable.find(one.name); why != first.guest.unavailable.end()) {
    table.add_not_here({std::string(one.name)}, why->second);
    return Outcome::not_here;
  }
  std::size_t passed = 0;
  Verdict shown = verdict_of(one.name, first);
  for (const ArmRun& run : runs) {
    const Verdict verdict = verdict_of(one.name, run);
    passed += verdict.passed ? 1 : 0;
    if (!verdict.passed) shown = verdict;
  }
  const std::string verdict = passed == runs.size() ? "pass"
                              : passed == 0
                                  ? "FAIL"
                                  : fmt::format("FAIL in {} of {}", runs.size() - passed, runs.size());
  table.add({std::string(one.name), verdict, shown.due, shown.came, shown.data, std::string(one.manual)});
  expect_exits(one, runs, result);
  return passed == runs.size() ? Outcome::passed : Outcome::differs;
}

}  // namespace

void run_single_step(Context& context, report::ExperimentResult& result) {
  constexpr unsigned repetitions = 3;
  constexpr double hung = 5;  // seconds; a case takes milliseconds
  std::vector<Arm> arms;
  for (const Case& one : cases) {
    arms.push_back(guest_arm(std::string(one.name), "@step", fmt::format("case={}", one.name)));
    arms.back().options.timeout = hung;
  }
  const std::vector<std::vector<ArmRun>> runs = context.interleave(arms, repetitions);

  report::ExperimentTable table{.id = "single-step",
                                .title = "What comes of an instruction that exits, with TF set",
                                .columns = {{"case", "case", Unit::words},
                                            {"verdict", "verdict", Unit::words},
                                            {"due", "due", Unit::words, 2},
                                            {"came", "came", Unit::words},
                                            {"data", "data", Unit::words, 1},
                                            {"manual", "by", Unit::words, 3}},
                                .rows = {},
                                .notes = {}};
  std::vector<std::string_view> differ;
  std::size_t tried = 0;
  bool control_passed = false;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Outcome outcome = add_row(cases[i], runs[i], table, result);
    if (outcome == Outcome::not_here) continue;
    ++tried;
    if (outcome == Outcome::differs) differ.push_back(cases[i].name);
    if (cases[i].name == control) control_passed = outcome == Outcome::passed;
  }
  table.notes.emplace_back(
      "Before it, after it: the instruction that exits; a NOP follows it, behind which stepping ends. Each "
      "case "
      "runs in a machine of its own. A case that differs is a finding about this host's KVM.");
  if (!control_passed) {
    result.answer = "The figures support no answer: not even a NOP is stepped over as it is due.";
  } else if (differ.empty()) {
    result.answer = fmt::format("All {} cases are as the manuals have them.", tried);
  } else {
    result.answer = fmt::format("{} of {} cases are as the manuals have them; these are not: {}.",
                                tried - differ.size(), tried, fmt::join(differ, ", "));
  }
  result.tables.push_back(std::move(table));
}

}  // namespace kvmbench::experiments
