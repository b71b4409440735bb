/// The names of the guest's functions, for --rip.
#pragma once

#include "cli/run.hpp"
#include "symbols/symbol_table.hpp"

namespace kvmbench::cli {

/// From the file that the user names, an ELF file or a System.map; else from the image, where it is an ELF
/// file. Empty where nobody asks for them. Throws UsageError for a file that is neither.
[[nodiscard]] symbols::SymbolTable guest_symbols(const RunOptions& options);

}  // namespace kvmbench::cli
