/// Formats of reports as values of an option.
#pragma once

#include <CLI/CLI.hpp>

namespace kvmbench::arguments {

/// What a format has to have a view of, beside reports.
enum class Shows { reports, experiments };
void takes_format(CLI::Option& option, Shows what);

/// Any of the formats there are, or one of `further`.
void takes_format(CLI::Option& option, const std::vector<std::string>& further = {});

}  // namespace kvmbench::arguments
