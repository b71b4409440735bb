/// What ACPI's MADT says of the machine's CPUs.
#pragma once

#include <stdint.h>

/// Writes the APIC IDs of the enabled CPUs, at most `most`, and returns how many there are in all; 0 without
/// a MADT.
unsigned acpi_find_cpus(uint64_t rsdp, uint32_t* apic_ids, unsigned most);
