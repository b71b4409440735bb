// @smp: starts all CPUs; each writes its share of bytes to a port and interrupts the next one.
//
//   cpus=N       how many CPUs (default: all that ACPI's MADT lists)
//   n=N          port writes of all CPUs together
//   budget_ms=N  without n=: each CPU writes for that long (default 200)
//   ipis=N       interrupts that each CPU sends to the next one (the last to the first; a single one to
//   itself), each
//                after the one before has arrived (default 16; 0 without a local APIC)
//
// Phase marks, by the first CPU: 0x20 once all CPUs are running, 0x21 result. The status is 1 if the sums are
// not what was asked for.
#include "lib/smp.h"

#include "lib/apic.h"
#include "lib/clock.h"
#include "lib/cpu.h"
#include "lib/interrupts.h"
#include "lib/print.h"

enum { mark_work = 0x20, mark_result = 0x21 };

const char* const guest_option_keys[] = {"cpus", "n", "budget_ms", "ipis", 0};

static unsigned cpu_count;
static uint64_t writes_in_all;  // 0: by time
static uint64_t budget_cycles;
static uint64_t ipis_each;
static atomic_bool work_has_begun;

__attribute__((interrupt)) static void ipi_interrupt(struct interrupt_frame* frame) {
  (void)frame;
  ++cpu_current()->ipis_received;
  apic_end_of_interrupt();
}

static void write_share(struct cpu* cpu) {
  const uint64_t share = writes_in_all / cpu_count + (cpu->index < writes_in_all % cpu_count);
  const uint64_t deadline = read_tsc() + budget_cycles;
  uint64_t done = 0;
  while (writes_in_all ? done < share : read_tsc() < deadline) {
    out8(port_unclaimed, (uint8_t)cpu->index);
    ++done;
  }
  cpu->port_writes = done;
}

static void interrupt_next(struct cpu* cpu) {
  const struct cpu* next = smp_cpu((cpu->index + 1) % cpu_count);
  for (uint64_t sent = 1; sent <= ipis_each; ++sent) {
    apic_send_ipi(next->apic_id, vector_ipi);
    cpu->ipis_sent = sent;
    while (next->ipis_received < sent) pause();
  }
}

static void work(struct cpu* cpu) {
  if (ipis_each) enable_interrupts();
  write_share(cpu);
  interrupt_next(cpu);
  atomic_store_explicit(&cpu->finished, true, memory_order_release);
}

static void application_processor(struct cpu* cpu) {
  while (!work_has_begun) pause();
  work(cpu);
  for (;;) halt();  // with interrupts enabled: the CPU before this one may still be sending
}

static void print_row(const char* cpu, uint64_t port_writes, uint64_t ipis_sent, uint64_t ipis_received) {
  print_text_padded(cpu, 4);
  print_number_padded(port_writes, 14);
  print_number_padded(ipis_sent, 12);
  print_number_padded(ipis_received, 16);
  print_line("");
}

static int print_result(void) {
  uint64_t writes = 0, sent = 0, received = 0;
  print_line("cpu    port writes   IPIs sent   IPIs received");
  for (unsigned i = 0; i < cpu_count; ++i) {
    const struct cpu* cpu = smp_cpu(i);
    print_number_padded(i, 3);
    print_row(" ", cpu->port_writes, cpu->ipis_sent, cpu->ipis_received);
    writes += cpu->port_writes;
    sent += cpu->ipis_sent;
    received += cpu->ipis_received;
  }
  print_text("sum");
  print_row(" ", writes, sent, received);
  const bool complete = sent == ipis_each * cpu_count && received == sent;
  return complete && (!writes_in_all || writes == writes_in_all) ? status_ok : status_failed;
}

int guest_main(const struct guest* guest) {
  const unsigned wanted = (unsigned)option_number(guest, "cpus", 0, 1, cpus_max);
  writes_in_all = option_number(guest, "n", 0, 1, UINT64_MAX);
  if (!writes_in_all)
    budget_cycles = clock_cycles_from_us(option_number(guest, "budget_ms", 200, 1, 3600000) * 1000);
  ipis_each = apic_present() ? option_number(guest, "ipis", 16, 0, 1000000) : 0;

  interrupts_set_handler(vector_ipi, ipi_interrupt);
  cpu_count = smp_start(guest, wanted, application_processor);

  phase_mark(mark_work);
  atomic_store_explicit(&work_has_begun, true, memory_order_release);
  work(smp_cpu(0));
  for (unsigned i = 0; i < cpu_count; ++i)
    while (!smp_cpu(i)->finished) pause();
  disable_interrupts();
  phase_mark(mark_result);
  return print_result();
}
