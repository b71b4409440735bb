/// Time by the CPU's time stamp counter.
#pragma once

#include <stdint.h>

/// The TSC's frequency: from KVM's paravirtual clock, which costs no exit to user space, or else measured
/// against the PIT, which polls its ports for 10 ms. Found out at the first call, which is to be on the first
/// CPU.
uint64_t clock_tsc_khz(void);

static inline uint64_t clock_cycles_from_us(uint64_t us) {
  return us * clock_tsc_khz() / 1000;
}

/// Spins without an exit.
void clock_delay_us(uint64_t us);
