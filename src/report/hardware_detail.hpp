/// What exits of the hardware were for, in words.
#pragma once

#include <string>

#include "stats/traced_exits.hpp"

namespace kvmbench::report {

/// "port 0x3f8", "page fault 0x200000-0x3fffff", "MSR 0x1b".
[[nodiscard]] std::string place_of(const stats::HardwareDetail& detail);
/// "in", "out", "read", "write"; "" where it has none.
[[nodiscard]] std::string direction_in_words(const stats::HardwareDetail& detail);

}  // namespace kvmbench::report
