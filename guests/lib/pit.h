/// Channel 0 of the Intel 8254 timer, whose output is ISA IRQ 0.
#pragma once

#include <stdint.h>

enum { pit_gsi = 0, pit_gsi_overridden = 2 };  ///< which one it has differs: firmware's MADT says

/// An interrupt `hz` times a second (at least 19), from now on.
void pit_start(uint64_t hz);
void pit_stop(void);

/// For a handler: the count as it is now; and how many cycles of the TSC before that it had begun anew.
__attribute__((no_caller_saved_registers)) uint16_t pit_count(void);
uint64_t pit_cycles_since(uint16_t count);
