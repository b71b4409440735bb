/// A static ELF64 that names no boot protocol: entered in long mode, on the identity map.
#include <fmt/format.h>

#include "base/error.hpp"
#include "memory/memory_map.hpp"
#include "vmm/boot/environment.hpp"
#include "vmm/boot/handover.hpp"
#include "vmm/boot/load_plan.hpp"
#include "vmm/boot/protocols.hpp"

namespace kvmbench::boot {

EntryState load_elf64(const Inputs& inputs, const ElfFile& elf, GuestMemory& memory) {
  refuse_initrd(inputs, Protocol::elf64);
  refuse_modules(inputs, Protocol::elf64);
  refuse_command_line(inputs, Protocol::elf64);
  LoadPlan plan(memory);
  place_environment(CpuMode::long64, plan);
  elf.place(plan);
  const std::uint64_t entry = elf.entry();
  if (entry >= identity_map_end) {
    throw UsageError(
        fmt::format("{}: its entry point {:#x} is not below 4 GiB, where the identity map that it "
                    "starts on ends",
                    inputs.image.name, entry));
  }
  plan.write_to(memory);
  return {.mode = CpuMode::long64, .rip = entry, .rsp = memory_map::boot_stack_top.value};
}

}  // namespace kvmbench::boot
