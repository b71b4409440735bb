/// Times as values of an option.
#pragma once

#include <CLI/CLI.hpp>

namespace kvmbench::arguments {

/// A time in seconds, within what the timers can count and a log can be written in.
void takes_duration(CLI::Option& option);

}  // namespace kvmbench::arguments
