/// Results of experiments as the plain tables and sentences that text, Markdown, HTML and CSV share.
#pragma once

#include <string>
#include <vector>

#include "report/experiment.hpp"
#include "report/plain_table.hpp"

namespace kvmbench::report {

/// "12.3 µs ±4%": within that share of the median all repetitions lie.
[[nodiscard]] std::string shown(const ExperimentCell& cell, ExperimentColumn::Unit unit);
[[nodiscard]] PlainTable plain_table(const ExperimentTable& table);
/// What is said of the whole: counts that are determined, repetitions, failures.
[[nodiscard]] std::vector<std::string> remarks(const ExperimentResult& result);

}  // namespace kvmbench::report
