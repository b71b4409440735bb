// @load: every CPU makes exits of one kind for a time; how many, and what each took (kvmbench bench scale,
// overhead).
//
//   kind=port|doorbell|ipi  OUT to a port that nobody answers (default), OUT to the exit probe's doorbell, or
//                           interrupts that each CPU sends to the next and waits for
//   ms=N   for how long, on each CPU (default 100)
//   n=N    rounds of each CPU at most (default 200000)
//   cpus=N how many CPUs (all by default)
//   page=1 the first CPU's page of exit counts is kept up to date (docs/guest-interface.md)
//
// Phases: 0x10 the work, on all CPUs at once; 0x0f the results, a line a CPU: rounds and cycles, the round's
// figures as in lib/result.h.
#include "lib/apic.h"
#include "lib/clock.h"
#include "lib/cpu.h"
#include "lib/guest.h"
#include "lib/interrupts.h"
#include "lib/kvmbench_guest.h"
#include "lib/memory.h"
#include "lib/result.h"
#include "lib/smp.h"

enum { mark_work = 0x10, mark_results = 0x0f, port_doorbell = 0x2f40 };  // src/vmm/exit_probe.hpp

const char* const guest_option_keys[] = {"kind", "ms", "n", "cpus", "page", 0};

static enum { kind_port, kind_doorbell, kind_ipi } kind;
static unsigned cpu_count;
static uint64_t rounds_each, budget;
static struct latencies latencies[cpus_max];
static atomic_bool begun;

__attribute__((interrupt)) static void ipi_interrupt(struct interrupt_frame* frame) {
  (void)frame;
  ++cpu_current()->ipis_received;
  apic_end_of_interrupt();
}

// Until it has come, or the other CPU does not go on.
static void interrupt_next(struct cpu* cpu) {
  const struct cpu* next = smp_cpu((cpu->index + 1) % cpu_count);
  const uint64_t wanted = ++cpu->ipis_sent;
  apic_send_ipi(next->apic_id, vector_ipi);
  while (next->ipis_received < wanted) pause();
}

static void round_of(struct cpu* cpu) {
  if (kind == kind_port) out8(port_unclaimed, (uint8_t)cpu->index);
  if (kind == kind_doorbell) out8(port_doorbell, 1);
  if (kind == kind_ipi) interrupt_next(cpu);
}

static void work(struct cpu* cpu) {
  struct latencies* to = &latencies[cpu->index];
  if (kind == kind_ipi) enable_interrupts();
  const uint64_t begin = read_tsc();
  uint64_t before = begin;
  while (to->count < rounds_each && before - begin < budget) {
    round_of(cpu);
    const uint64_t now = read_tsc();
    latency_add(to, now - before);
    before = now;
  }
  to->elapsed = before - begin;
  atomic_store_explicit(&cpu->finished, true, memory_order_release);
}

// With interrupts enabled: the CPU before this one may still be sending.
static void application_processor(struct cpu* cpu) {
  while (!begun) pause();
  work(cpu);
  for (;;) halt();
}

static void tell(unsigned cpu) {
  char name[] = "cpu-00";
  name[4] = (char)('0' + cpu / 10 % 10);
  name[5] = (char)('0' + cpu % 10);
  result_begin(name);
  result_latencies(&latencies[cpu]);
  result_end();
}

int guest_main(const struct guest* guest) {
  static const char* const kinds[] = {"port", "doorbell", "ipi", 0};
  kind = option_choice(guest, "kind", kinds);
  const unsigned wanted = (unsigned)option_number(guest, "cpus", 0, 1, 99);
  rounds_each = option_number(guest, "n", 200000, 1, 1u << 22);
  budget = clock_cycles_from_us(option_number(guest, "ms", 100, 1, 3600000) * 1000);
  memory_initialize(guest);
  if (option_number(guest, "page", 0, 0, 1)) {
    struct kvmbench_interface interface;
    if (!kvmbench_discover(&interface) || !(interface.features & KVMBENCH_FEATURE_PAGE))
      guest_fail("page=1: the machine has no pages of exit counts");
    kvmbench_keep_page(&interface, 1);
  }
  interrupts_set_handler(vector_ipi, ipi_interrupt);
  cpu_count = smp_start(guest, wanted, application_processor);
  if (cpu_count > 99) guest_fail("cpus=: at most 99");
  for (unsigned i = 0; i < cpu_count; ++i)
    latencies[i].cycles = memory_take(rounds_each * sizeof *latencies[i].cycles, 64);

  phase_mark(mark_work);
  atomic_store_explicit(&begun, true, memory_order_release);
  work(smp_cpu(0));
  for (unsigned i = 0; i < cpu_count; ++i)
    while (!smp_cpu(i)->finished) pause();
  disable_interrupts();
  phase_mark(mark_results);
  for (unsigned i = 0; i < cpu_count; ++i) tell(i);
  return status_ok;
}
