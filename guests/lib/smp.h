/// The application processors: starting them, and what each CPU knows of itself.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "lib/guest.h"
#include "lib/start.h"

enum { cpus_max = 256 };

/// At the bottom of a CPU's area (CPU_AREA_SIZE); the counters are written by that CPU alone.
struct cpu {
  uint32_t index, apic_id;
  volatile uint64_t port_writes, ipis_sent, ipis_received;
  atomic_bool online, finished;
};

/// The CPU that runs this; for interrupt handlers too.
__attribute__((no_caller_saved_registers)) static inline struct cpu* cpu_current(void) {
  uint64_t stack_pointer;
  asm("mov %%rsp, %0" : "=r"(stack_pointer));
  return (struct cpu*)(stack_pointer & ~(uint64_t)(CPU_AREA_SIZE - 1));
}

/// What an application processor does, with interrupts off; it must not return.
typedef void cpu_main(struct cpu* cpu);

/// Starts the CPUs that the MADT lists (of them `wanted`, unless it is 0), each at `main`, and returns how
/// many there are, the first one included: its index is 0. Ends the guest if one does not start. Without a
/// local APIC there is one CPU.
unsigned smp_start(const struct guest* guest, unsigned wanted, cpu_main* main);

struct cpu* smp_cpu(unsigned index);
