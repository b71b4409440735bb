/// What came to memory that was protected or watched: the tables that every format shows.
#pragma once

#include <vector>

#include "report/plain_table.hpp"
#include "report/report.hpp"

namespace kvmbench::report {

/// None where no memory was guarded.
[[nodiscard]] std::vector<PlainTable> memory_tables(const Report& report);

/// One access in words: "vCPU 0 wrote 4 bytes (0x2a) at 0x1000010, rip 0x100234".
[[nodiscard]] std::string in_words(const stats::MemoryAccess& access);

}  // namespace kvmbench::report
