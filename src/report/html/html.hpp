/// The report as a page: one file with everything in it, that nothing is fetched for.
#pragma once

#include <string>

#include "report/compare.hpp"
#include "report/report.hpp"
#include "report/timeline.hpp"

namespace kvmbench::report {

struct HtmlOptions {
  const Timeline* timeline = nullptr;  ///< how the run grew, where that is known
  unsigned reload_seconds = 0;         ///< for a page of a run that goes on; 0: never
};

/// HTML 5, light and dark, fit for phones and for paper. What it says can be read without a script; a small
/// one sorts and filters the tables. Every figure in a table has its exact value in `data-value`.
[[nodiscard]] std::string to_html(const Report& report, const HtmlOptions& options = {});

/// The page of a comparison, likewise.
[[nodiscard]] std::string to_html(const Comparison& comparison);

}  // namespace kvmbench::report
