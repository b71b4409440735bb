/// A raw binary: loaded and entered where the user says.
#include <fmt/format.h>

#include "base/error.hpp"
#include "memory/memory_map.hpp"
#include "vmm/boot/environment.hpp"
#include "vmm/boot/handover.hpp"
#include "vmm/boot/load_plan.hpp"
#include "vmm/boot/protocols.hpp"

namespace kvmbench::boot {
namespace {

constexpr std::uint64_t boot_sector_address =
    0x7c00;  // where a BIOS loads one; in real16 the stack grows down from it
constexpr std::uint64_t real_mode_segment = 0x1'0000;

}  // namespace

EntryState load_raw(const Inputs& inputs, GuestMemory& memory) {
  refuse_initrd(inputs, Protocol::raw);
  refuse_modules(inputs, Protocol::raw);
  refuse_command_line(inputs, Protocol::raw);
  const std::string& name = inputs.image.name;
  const auto bytes = inputs.image.bytes;
  const bool real = inputs.raw->mode == CpuMode::real16;
  const std::uint64_t start =
      inputs.raw->load_address.value_or(real ? boot_sector_address : memory_map::bios_area_end.value);
  const std::uint64_t entry = inputs.raw->entry.value_or(start);

  if (bytes.empty()) throw UsageError(fmt::format("{}: is an empty file", name));
  LoadPlan plan(memory);
  place_environment(inputs.raw->mode, plan);
  plan.place(name, Gpa{start}, bytes.size(), bytes);
  if (entry < start || entry - start >= bytes.size()) {
    throw UsageError(fmt::format("{}: its entry point {:#x} lies outside of it ({:#x} bytes at {:#x})", name,
                                 entry, bytes.size(), start));
  }
  const std::uint64_t reach = real ? real_mode_segment : identity_map_end;
  if (entry >= reach) {
    throw UsageError(
        fmt::format("{}: its entry point {:#x} is not below {:#x}, as its mode needs", name, entry, reach));
  }
  plan.write_to(memory);
  return {.mode = inputs.raw->mode,
          .rip = entry,
          .rsp = real ? boot_sector_address : memory_map::boot_stack_top.value};
}

}  // namespace kvmbench::boot
