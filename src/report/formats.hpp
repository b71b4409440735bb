/// The formats of a report. Each renders the same Report; the sums in each agree. Strings that come from the
/// user or the guest are made printable first: no format passes a control character on.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "report/report.hpp"
#include "report/report_charts.hpp"
#include "report/timeline.hpp"

namespace kvmbench::report {

struct Comparison;   // compare.hpp
struct Experiments;  // experiment.hpp

/// How a report is shown. Each format takes what concerns it.
struct RenderOptions {
  unsigned width = 80;  ///< columns of the terminal; tables fit it, down to 40
  bool colour = false;
  bool split_phases = false;           ///< tables a phase, then the whole
  Chart chart = Chart::reasons;        ///< of svg
  const Timeline* timeline = nullptr;  ///< how the run grew, where that is known: for html and svg
};

/// One more format is one more line in the table of format_table.cpp: every command that renders reports then
/// takes it, and its help names it.
struct Format {
  std::string_view name;  ///< as --report and --format take it
  std::string (*render)(const Report& report, const RenderOptions& options);
  /// null: it shows no comparison.
  std::string (*compare)(const Comparison& comparison, const RenderOptions& options);
  /// null: it shows no experiments.
  std::string (*experiments)(const Experiments& experiments, const RenderOptions& options);
};
/// In the order that help names them.
[[nodiscard]] std::span<const Format> formats();
/// Throws UsageError for a name that is none's.
[[nodiscard]] const Format& format_named(std::string_view name);

[[nodiscard]] std::string to_text(const Report& report, const RenderOptions& options);
[[nodiscard]] std::string to_markdown(const Report& report, bool split_phases);
/// One row per vCPU, phase and key (RFC 4180 quoting, rows end in a newline); after an empty line, one per
/// operation that a device counts.
[[nodiscard]] std::string to_csv(const Report& report);
[[nodiscard]] std::string to_json(const Report& report);  ///< docs/report.schema.json
/// One line, no newline inside, of what has come since the last: for --interval.
[[nodiscard]] std::string to_json_line(const stats::Snapshot& interval, std::uint64_t number);

/// Reads what to_json wrote; figures that follow from others are computed again, not read. Throws UsageError
/// naming `name`, the place in it and what is wrong there.
[[nodiscard]] Report from_json(std::string_view text, const std::string& name);

/// Writes `text` to a temporary name beside `path` and renames it: the old file is intact until the new one
/// is whole. A symbolic link is followed; a device or a pipe is written to as it is. Throws UsageError.
void write_file(const std::string& path, std::string_view text);

}  // namespace kvmbench::report
