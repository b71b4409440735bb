/// The command line of kvmbench-guest.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace kvmbench::guest {

struct Options {
  enum class Command { help, total, reasons, watch, run, phase };
  Command command = Command::help;
  bool json = false;
  double interval = 1;             ///< watch: seconds
  unsigned long samples = 0;       ///< watch: intervals; 0: until interrupted
  std::vector<std::string> words;  ///< run: the command; phase: the name
};

extern const char usage[];

/// Nothing, and a line in `error`, where the arguments make no sense.
[[nodiscard]] std::optional<Options> parse_options(const std::vector<std::string>& arguments,
                                                   std::string& error);

}  // namespace kvmbench::guest
