/// The ACPI tables (ACPI 6.4, chapter 5) of the machine: RSDP, XSDT, FADT, FACS, MADT and the compiled
/// dsdt.asl; and an SSDT, the compiled virtio.asl, where there are virtio devices.
#pragma once

#include <cstdint>

#include "memory/guest_memory.hpp"

namespace kvmbench::boot {

/// What the tables say of the machine.
struct AcpiOptions {
  std::uint32_t cpus = 1;
  bool pic = true;  ///< MADT PCAT_COMPAT: a pair of 8259s is there
  bool io_apic = true;
  unsigned virtio_slots = 0;  ///< virtio-mmio devices, from the first slot on
};

/// Writes them at memory_map::acpi_tables and returns the RSDP's address. Throws UsageError where they do not
/// fit (too many CPUs).
[[nodiscard]] Gpa write_acpi_tables(const AcpiOptions& options, GuestMemory& memory);

}  // namespace kvmbench::boot
