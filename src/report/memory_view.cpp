#include "report/memory_view.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "report/units.hpp"

namespace kvmbench::report {
namespace {

constexpr std::size_t most_shown = 20;  // the JSON report has all that are listed

Cell number(std::uint64_t value) {
  return {grouped(value), fmt::to_string(value)};
}

Cell words(std::string text) {
  return {std::move(text), {}};
}

Cell hexadecimal(const std::optional<std::uint64_t>& value) {
  return words(value ? fmt::format("{:#x}", *value) : "-");
}

PlainTable ranges_table(const stats::GuardedAccount& account) {
  PlainTable table{.id = "guarded-memory",
                   .title = "Guarded memory",
                   .columns = {{.title = "first", .words = true},
                               {.title = "last", .words = true},
                               {.title = "rule", .words = true},
                               {.title = "reads"},
                               {.title = "writes"},
                               {.title = "guest told", .dropped = 1}},
                   .rows = {},
                   .total = {},
                   .sentences = {}};
  for (const stats::GuardedMemory& range : account.ranges) {
    table.rows.push_back({hexadecimal(range.first), hexadecimal(range.last), words(range.rule),
                          number(range.reads), number(range.writes), number(range.told)});
  }
  table.sentences.emplace_back(
      "Accesses of protected memory, of which none had an effect on it; writes to watched memory, or pages "
      "of "
      "it that were found modified.");
  return table;
}

PlainTable accesses_table(const Report& report) {
  const stats::GuardedAccount& account = report.guarded;
  const Clock clock(report.snapshot.tsc_khz);
  PlainTable table{.id = "guarded-accesses",
                   .title = "Accesses of guarded memory",
                   .columns = {{.title = "after", .dropped = 1},
                               {.title = "vCPU", .dropped = 2},
                               {.title = "access", .words = true},
                               {.title = "address", .words = true},
                               {.title = "bytes"},
                               {.title = "value", .words = true},
                               {.title = "rip", .words = true}},
                   .rows = {},
                   .total = {},
                   .sentences = {}};
  const std::size_t shown = std::min(most_shown, account.accesses.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const stats::MemoryAccess& access = account.accesses[i];
    const stats::Cycles after =
        access.when > report.snapshot.began ? access.when - report.snapshot.began : stats::Cycles{0};
    table.rows.push_back({{clock.show(after), fmt::to_string(after)},
                          words(access.vcpu ? fmt::to_string(*access.vcpu) : "-"),
                          words(access.direction == Direction::read ? "read" : "write"),
                          hexadecimal(access.address),
                          words(access.width != 0 ? fmt::to_string(access.width) : "page"),
                          hexadecimal(access.value),
                          hexadecimal(access.rip)});
  }
  const std::uint64_t further = account.further + (account.accesses.size() - shown);
  if (further > 0) table.sentences.push_back(fmt::format("{} more came after these.", grouped(further)));
  return table;
}

}  // namespace

std::vector<PlainTable> memory_tables(const Report& report) {
  if (report.guarded.ranges.empty()) return {};
  std::vector<PlainTable> tables{ranges_table(report.guarded)};
  if (!report.guarded.accesses.empty()) tables.push_back(accesses_table(report));
  return tables;
}

std::string in_words(const stats::MemoryAccess& access) {
  const bool write = access.direction == Direction::write;
  std::string text = access.vcpu ? fmt::format("vCPU {} ", *access.vcpu) : std::string();
  if (access.width == 0) return text + fmt::format("wrote to the page at {:#x}", access.address);
  text += fmt::format("{} {} byte{}", write ? "wrote" : "read", access.width, access.width == 1 ? "" : "s");
  if (access.value) text += fmt::format(" ({:#x})", *access.value);
  text += fmt::format(" at {:#x}", access.address);
  if (access.rip) text += fmt::format(", rip {:#x}", *access.rip);
  return text;
}

}  // namespace kvmbench::report
