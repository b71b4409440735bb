/// What several protocols hand to the guest in the same way, and what some cannot hand over at all.
#pragma once

#include <string>
#include <vector>

#include "vmm/boot/boot.hpp"
#include "vmm/boot/load_plan.hpp"

namespace kvmbench::boot {

/// Plans the command line, with its terminating NUL, at memory_map::boot_command_line. Throws UsageError
/// where it has more than `most` characters or more than there is room for.
void place_command_line(const std::string& text, std::uint64_t most, LoadPlan& plan);

/// Plans a protocol's own structures at memory_map::boot_info. Throws UsageError where there is no room,
/// because there are too many modules.
void place_boot_info(std::vector<std::byte> bytes, LoadPlan& plan);

/// Plans an initrd or a module as high below 4 GiB as it fits, ending at or below `limit`.
[[nodiscard]] Gpa place_high(const File& file, std::uint64_t limit, LoadPlan& plan);

/// Throw UsageError for what is given but the image's protocol does not have.
void refuse_initrd(const Inputs& inputs, Protocol protocol);
void refuse_modules(const Inputs& inputs, Protocol protocol);
void refuse_command_line(const Inputs& inputs, Protocol protocol);

}  // namespace kvmbench::boot
