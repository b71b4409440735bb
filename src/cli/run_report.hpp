/// The report of a run: put together, and sent where the user wants it.
#pragma once

#include <string>

#include "cli/run.hpp"
#include "symbols/symbol_table.hpp"
#include "vmm/machine.hpp"

namespace kvmbench::cli {

/// When and how long the machine ran.
struct RunTimes {
  std::string started;  ///< UTC, ISO 8601
  double wall_seconds = 0;
  std::uint64_t tsc_khz = 0;
};

/// Once the machine has stopped, or, as what there is so far, while it runs.
[[nodiscard]] report::Report make_report(const RunOptions& options, const Machine& machine,
                                         boot::Protocol protocol, const RunTimes& times,
                                         const symbols::SymbolTable& symbols);

/// Throws UsageError for a report file that could not be written after the run: its account would be lost.
void check_report_files(const RunOptions& options);

/// Every format to its file or to stdout. All are tried; throws UsageError for the first that cannot be
/// written.
void write_reports(const RunOptions& options, const report::Report& report, const report::Timeline* timeline);

}  // namespace kvmbench::cli
