/// The guest-physical addresses that the boot protocols, the ACPI tables and the machine agree on. All of it
/// below 1 MiB is RAM; the e820 map keeps the guest's kernel away from what it still needs.
#pragma once

#include "memory/guest_memory.hpp"

namespace kvmbench::memory_map {

// Handed to the guest at boot, free for it to reuse afterwards (e820: usable).
inline constexpr Gpa boot_gdt{0x500};
inline constexpr Gpa boot_info{0x1000};  // multiboot info, hvm_start_info, or Linux zero page: up to 0x7fff
inline constexpr Gpa boot_page_tables{0x9000};  // identity map of the first 4 GiB in 2 MiB pages: 6 pages
inline constexpr Gpa boot_stack_top{0x1'0000};  // grows down to 0xf000
inline constexpr Gpa boot_command_line{0x2'0000};
inline constexpr std::uint64_t boot_command_line_max = 0x1'0000;

// The last KiB of conventional memory, and the BIOS area with the ACPI tables (e820: reserved).
inline constexpr Gpa ebda{0x9'fc00};
inline constexpr Gpa acpi_tables{0xe'0000};  // the RSDP first, where a scan of the BIOS area finds it too
inline constexpr Gpa bios_area_end{0x10'0000};

// Devices, in the hole between low_ram_limit and 4 GiB.
inline constexpr Gpa pci_window{0xc000'0000};  // for BARs, up to virtio_mmio
inline constexpr Gpa virtio_mmio{0xd000'0000};
inline constexpr Gpa exit_count_pages{0xde00'0000};  // the guest's own exit counts, a page a vCPU
inline constexpr Gpa io_apic{0xfec0'0000};
inline constexpr Gpa local_apic{0xfee0'0000};

// Where Intel's KVM keeps its real-mode helpers (KVM_SET_IDENTITY_MAP_ADDR, KVM_SET_TSS_ADDR).
inline constexpr Gpa kvm_identity_map{0xfffb'c000};
inline constexpr Gpa kvm_tss{0xfffb'd000};

}  // namespace kvmbench::memory_map
