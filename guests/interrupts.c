// @interrupts: is interrupted by the interrupt source (run --interrupt-source), and tells how late and at
// what cost.
//
//   way=W     line, irqfd, route, message (docs/interrupt-source.md), or page: no interrupt, the page is
//             looked at without end (default irqfd)
//   state=S   what an interrupt meets: spin, a CPU that does work without an exit, or halt (default spin;
//             page has spin alone)
//   n=N       interrupts, 0 for none (default 1000)
//   gap_us=N  from one that is handled to the next (default 100)
//
// Phase marks: 0x70 set-up, 0x71 interrupts, 0x72 result. The status is 1 where the machine has no interrupt
// source, or an interrupt was never handled. Results, in cycles of the TSC: `latency` from just before the
// host raises an interrupt to the handler's first instructions; `round-trip` from there to the host's seeing
// it handled, by the host's clock alone; `raise` what raising took the host; with state=spin `lost`, which
// the work was interrupted for, a round of that work included, and `round`, what such a round takes.
#include "lib/interrupts.h"

#include "kvmbench_interrupt_source.h"
#include "lib/apic.h"
#include "lib/clock.h"
#include "lib/cpu.h"
#include "lib/exit_window.h"
#include "lib/guest.h"
#include "lib/io_apic.h"
#include "lib/latency.h"
#include "lib/memory.h"
#include "lib/result.h"

enum { mark_set_up = 0x70, mark_interrupts = 0x71, mark_result = 0x72 };

enum { rounds_measured = 1000 };

const char* const guest_option_keys[] = {"way", "state", "n", "gap_us", 0};

static const char* const way_names[] = {"irqfd", "line", "route", "message", "page", 0};
static const uint32_t ways[] = {KVMBENCH_IRQ_BY_IRQFD, KVMBENCH_IRQ_BY_LINE, KVMBENCH_IRQ_BY_ROUTE,
                                KVMBENCH_IRQ_BY_MESSAGE, KVMBENCH_IRQ_BY_PAGE};
enum state { state_spin, state_halt };
static const char* const state_names[] = {"spin", "halt", 0};

static uint32_t way;
static uint64_t wanted;
static volatile struct kvmbench_irq_page* page;
static volatile uint64_t handled;
static uint64_t tsc_offset;
static uint64_t early;  // handled before they were raised, if the clocks are to be believed
static uint64_t again;  // interrupts that nobody had raised, or that were raised once more
static struct latencies latency, round_trip, raise, lost, round;

static uint32_t source_read(uint32_t offset) {
  return in32((uint16_t)(KVMBENCH_IRQ_PORT + offset));
}
for_interrupts static inline void source_write(uint32_t offset, uint32_t value) {
  asm volatile("outl %0, %1" : : "a"(value), "Nd"((uint16_t)(KVMBENCH_IRQ_PORT + offset)));
}

// The host's figures in the page are those of the interrupt before.
for_interrupts __attribute__((always_inline)) static inline void note(uint64_t now) {
  const uint64_t raised_at = page->raised_at + tsc_offset;
  if (handled >= wanted) return;  // repeated by the host, though it was handled
  const uint64_t cycles = now - raised_at;
  if ((int64_t)cycles < 0) ++early;
  latency.cycles[latency.count++] = (int64_t)cycles < 0   ? 0
                                    : cycles > UINT32_MAX ? UINT32_MAX
                                                          : (uint32_t)cycles;
  if (handled) {
    raise.cycles[raise.count++] = (uint32_t)page->raise_cycles;
    round_trip.cycles[round_trip.count++] = (uint32_t)page->round_trip;
  }
}

__attribute__((interrupt)) static void device_interrupt(struct interrupt_frame* frame) {
  (void)frame;
  const uint64_t now = read_tsc();
  const bool fresh = page->raised > handled;
  if (way == KVMBENCH_IRQ_BY_LINE) source_write(KVMBENCH_IRQ_DEASSERT, 0);
  if (fresh) note(now);
  apic_end_of_interrupt();
  if (!fresh) {
    ++again;
    return;
  }
  ++handled;
  page->handled = handled;
}

// The work consists of readings of the clock: what is missing between two of them went into the interrupt.
static void spin(void) {
  while (handled < wanted) {
    const uint64_t before_all = handled;
    uint64_t before, now = read_tsc();
    do {
      before = now;
      now = read_tsc();
    } while (handled == before_all);
    now = read_tsc();
    latency_add(&lost, now - before);
  }
}

static void halt_between(void) {
  disable_interrupts();
  while (handled < wanted) halt_until_interrupt();
}

static void look_into_page(void) {
  while (handled < wanted) {
    while (page->raised == handled) continue;
    note(read_tsc());
    ++handled;
    page->handled = handled;
  }
}

// Undisturbed: what a round of spin() takes by itself.
static void measure_round(void) {
  for (unsigned i = 0; i < rounds_measured; ++i) {
    const uint64_t before = read_tsc();
    const uint64_t now = read_tsc();
    latency_add(&round, now - before);
  }
}

static void take_memory(struct latencies* latencies, uint64_t count) {
  latencies->cycles = memory_take((count + 1) * sizeof *latencies->cycles, 64);
}

static void set_up(const struct guest* guest, uint32_t gap) {
  if (source_read(KVMBENCH_IRQ_ID) != KVMBENCH_IRQ_ID_VALUE)
    guest_fail("interrupts needs kvmbench run --interrupt-source");
  if (!(source_read(KVMBENCH_IRQ_WAYS) >> way & 1)) guest_fail("this machine cannot interrupt in that way");
  memory_initialize(guest);
  take_memory(&latency, wanted);
  take_memory(&round_trip, wanted);
  take_memory(&raise, wanted);
  take_memory(&lost, wanted);
  take_memory(&round, rounds_measured);
  page = memory_take(4096, 4096);
  source_write(KVMBENCH_IRQ_PAGE, (uint32_t)(uint64_t)page);
  source_write(KVMBENCH_IRQ_WAY, way);
  source_write(KVMBENCH_IRQ_GAP, gap);
  apic_take_over();
  if (way == KVMBENCH_IRQ_BY_PAGE) return;
  if (!apic_present()) guest_fail("interrupts needs a local APIC, except with way=page");
  interrupts_set_handler(vector_device, device_interrupt);
  // The pin of this way alone: KVM looks at each end of interrupt of a level-triggered pin's vector.
  if (way == KVMBENCH_IRQ_BY_LINE) io_apic_route(KVMBENCH_IRQ_LEVEL_GSI, vector_device, trigger_level);
  if (way == KVMBENCH_IRQ_BY_IRQFD) io_apic_route(KVMBENCH_IRQ_EDGE_GSI, vector_device, trigger_edge);
  // Intel SDM vol. 3, 10.11: fixed delivery, edge-triggered, to one CPU by its ID.
  source_write(KVMBENCH_IRQ_ADDRESS, 0xfee00000 | apic_id() << 12);
  source_write(KVMBENCH_IRQ_DATA, vector_device);
}

// Of the window, besides those of the interrupts: the asking for them, and the mark that ends it.
enum { own_exits = 2 };

static void take_interrupts(enum state state) {
  if (!wanted) return;
  const uint64_t began = read_tsc();
  source_write(KVMBENCH_IRQ_RAISE, (uint32_t)wanted);
  tsc_offset = page->tsc_offset;
  enable_interrupts();
  if (way == KVMBENCH_IRQ_BY_PAGE)
    look_into_page();
  else if (state == state_spin)
    spin();
  else
    halt_between();
  disable_interrupts();
  latency.elapsed = read_tsc() - began;
}

static void print_latencies(const char* arm, struct latencies* latencies) {
  result_begin(arm);
  result_latencies(latencies);
  result_end();
}

static void print_results(enum state state) {
  result_begin("window");
  result_number("rounds", wanted);
  if (wanted) exit_window_result(own_exits);
  result_end();
  result_begin("clock");
  result_number("uncertainty", page->tsc_uncertainty);
  result_number("early", early);
  result_number("again", again);
  result_number("repeats", page->repeats);
  result_number("tsc_khz", clock_tsc_khz());
  result_end();
  print_latencies("latency", &latency);
  print_latencies("round-trip", &round_trip);
  print_latencies("raise", &raise);
  if (state == state_halt || way == KVMBENCH_IRQ_BY_PAGE) return;
  print_latencies("lost", &lost);
  print_latencies("round", &round);
}

int guest_main(const struct guest* guest) {
  way = ways[option_choice(guest, "way", way_names)];
  const enum state state = option_choice(guest, "state", state_names);
  wanted = option_number(guest, "n", 1000, 0, 10000000);
  const uint32_t gap = (uint32_t)option_number(guest, "gap_us", 100, 0, KVMBENCH_IRQ_GAP_MAX);
  if (state == state_halt && way == KVMBENCH_IRQ_BY_PAGE) guest_fail("way=page has nothing to wake it up");

  phase_mark(mark_set_up);
  set_up(guest, gap);
  exit_window_prepare();
  measure_round();
  phase_mark(mark_interrupts);
  exit_window_open();
  take_interrupts(state);
  phase_mark(mark_result);
  exit_window_close();
  print_results(state);
  return status_ok;
}
