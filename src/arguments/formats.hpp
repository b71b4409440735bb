/// Formats of reports as values of an option.
#pragma once

#include <CLI/CLI.hpp>

namespace kvmbench::arguments {

/// Any of the formats there are, or one of `further`.
void takes_format(CLI::Option& option, const std::vector<std::string>& further = {});

}  // namespace kvmbench::arguments
