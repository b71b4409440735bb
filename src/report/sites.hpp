/// Where in the guest exits came from: which formats show alike.
#pragma once

#include <string>
#include <vector>

#include "report/report.hpp"

namespace kvmbench::report {

/// An instruction of the guest that caused exits of one key.
struct SiteRow {
  std::string key;    ///< as the table of keys names it: "uart0 THR out1", "port 0x2f00 out1"
  std::string place;  ///< the symbol and the address: "print_char+0x12 (0x1000b2)"
  std::uint64_t count = 0;
  std::uint64_t of_key = 0;  ///< exits of the key from all places
  stats::Cycles service = 0;
};
/// Of each key, most exits first, the `most` places that most of its exits come from; over all vCPUs.
[[nodiscard]] std::vector<SiteRow> top_sites(const Report& report, std::size_t most);

/// Folded stacks, as flame graphs are made of: a line a place, "image;reason;key;function COUNT", the counts
/// being exits. Throws UsageError where the report does not know its places.
[[nodiscard]] std::string to_folded(const Report& report);

}  // namespace kvmbench::report
