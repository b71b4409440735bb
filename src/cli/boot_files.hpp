/// The image and what goes with it, from files or from the program itself, into guest memory.
#pragma once

#include "cli/run.hpp"
#include "vmm/machine.hpp"

namespace kvmbench::cli {

/// The ELF file of a built-in guest, by its name without the @. Throws UsageError where there is none.
[[nodiscard]] std::span<const std::byte> built_in_image(std::string_view name);

/// Writes the ACPI tables of `machine`, loads what `options` name and lets go of the files. Throws
/// UsageError.
[[nodiscard]] boot::Loaded load_guest(const RunOptions& options, Machine& machine);

}  // namespace kvmbench::cli
