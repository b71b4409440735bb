/// The I/O APICs of the machine (Intel 82093AA data sheet, 3.2): one of 24 pins for global system interrupts
/// 0 to 23, and the second of QEMU's microvm for those from 24 on.
#pragma once

#include <stdint.h>

enum io_apic_trigger { trigger_edge = 0, trigger_level = 1 };

/// Sends a global system interrupt to this CPU under that vector, active high. The local APIC must be
/// enabled.
void io_apic_route(unsigned gsi, uint8_t vector, enum io_apic_trigger trigger);
