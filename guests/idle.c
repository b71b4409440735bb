// @idle: halts for a while, woken by a timer.
//
//   seconds=N, ms=N  how long (default 1 second)
//   hz=H             wake up H times a second, as a kernel with a periodic tick does (default: not before the
//                    end)
//   timer=T          by what: oneshot, the local APIC's timer, armed anew for every wake-up, as TSC deadline
//                    where the CPU has it; periodic, the local APIC's timer; pit, the 8254 (default oneshot)
//   latency=N        N wake-ups more, 1000 a second or H, of which it is measured how late they are, and
//   lines
//                    of results (default 0: none of this)
//
// With oneshot, wake-ups are at times counted from the beginning: N * H in all, or 1. Phase marks: 0x30 idle,
// 0x32 latency, 0x31 result. The results: `window`, the exits of phase 0x30, with `ticks`, the wake-ups, and
// `cycles`, how long it was; `latency`, cycles from a wake-up's time to its handler: the TSC there less the
// deadline, or with periodic timers what their count says, whose reading (an exit) is part of it.
#include "lib/apic.h"
#include "lib/clock.h"
#include "lib/cpu.h"
#include "lib/exit_window.h"
#include "lib/guest.h"
#include "lib/interrupts.h"
#include "lib/io_apic.h"
#include "lib/latency.h"
#include "lib/memory.h"
#include "lib/pit.h"
#include "lib/print.h"
#include "lib/result.h"

enum { mark_idle = 0x30, mark_result = 0x31, mark_latency = 0x32 };

const char* const guest_option_keys[] = {"seconds", "ms", "hz", "timer", "latency", 0};

enum timer { timer_oneshot, timer_periodic, timer_pit };
static const char* const timer_names[] = {"oneshot", "periodic", "pit", 0};

static enum timer timer;
static volatile uint64_t ticks;
static volatile bool measuring;
static volatile uint64_t woken_at;    // oneshot: TSC
static volatile uint32_t count_seen;  // periodic: the timer's count

__attribute__((interrupt)) static void tick_interrupt(struct interrupt_frame* frame) {
  (void)frame;
  if (timer == timer_oneshot)
    woken_at = read_tsc();
  else if (measuring)
    count_seen = timer == timer_periodic ? timer_current_count() : pit_count();
  ++ticks;
  apic_end_of_interrupt();
}

static void set_up_timer(void) {
  apic_enable();
  timer_initialize();
  interrupts_set_handler(vector_timer, tick_interrupt);
  if (timer != timer_pit) return;
  io_apic_route(pit_gsi, vector_timer, trigger_edge);
  io_apic_route(pit_gsi_overridden, vector_timer, trigger_edge);
}

static void start(uint64_t hz) {
  if (timer == timer_periodic) timer_start_periodic(hz);
  if (timer == timer_pit) pit_start(hz);
}

static void stop(void) {
  if (timer == timer_periodic) timer_stop();
  if (timer == timer_pit) pit_stop();
}

static void wait_for_tick(void) {
  const uint64_t before = ticks;
  while (ticks == before) halt_until_interrupt();
}

static void idle(uint64_t cycles, uint64_t wakeups, uint64_t hz) {
  if (!wakeups) return;
  if (timer != timer_oneshot) {
    start(hz);
    for (uint64_t i = 0; i < wakeups; ++i) wait_for_tick();
    stop();
    return;
  }
  const uint64_t period = cycles / wakeups;
  uint64_t deadline = read_tsc();
  for (uint64_t i = 0; i < wakeups; ++i) {
    deadline += period;
    timer_sleep_until(deadline);
  }
}

static void measure_latency(struct latencies* latencies, uint64_t count, uint64_t hz) {
  const uint64_t period = clock_tsc_khz() * 1000 / hz;
  const uint64_t began = read_tsc();
  measuring = true;
  start(hz);
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t deadline = read_tsc() + period;
    if (timer == timer_oneshot) timer_arm(deadline);
    wait_for_tick();
    latency_add(latencies, timer == timer_oneshot    ? woken_at - deadline
                           : timer == timer_periodic ? timer_cycles_since(count_seen)
                                                     : pit_cycles_since((uint16_t)count_seen));
  }
  stop();
  measuring = false;
  latencies->elapsed = read_tsc() - began;
}

static void print_results(uint64_t wakeups, uint64_t cycles, struct latencies* latencies) {
  enum { own_exits = 1 };  // the mark that ends the window
  result_begin("window");
  result_number("ticks", wakeups);
  result_number("cycles", cycles);
  exit_window_result(own_exits);
  result_end();
  result_begin("latency");
  result_latencies(latencies);
  result_end();
}

int guest_main(const struct guest* guest) {
  const uint64_t seconds = option_number(guest, "seconds", 1, 1, 1000000);
  const uint64_t ms = option_number(guest, "ms", seconds * 1000, 0, 1000000000);
  timer = option_choice(guest, "timer", timer_names);
  const uint64_t hz = option_number(guest, "hz", 0, timer == timer_pit ? 19 : 1, 100000);
  const uint64_t measured = option_number(guest, "latency", 0, 0, 1000000);
  if (timer != timer_oneshot && !hz) guest_fail("timer=periodic and timer=pit need hz=");
  if (!apic_present()) guest_fail("idle needs a local APIC");
  set_up_timer();
  clock_tsc_khz();

  static struct latencies latencies;
  if (measured) {
    memory_initialize(guest);
    latencies.cycles = memory_take(measured * sizeof *latencies.cycles, 64);
    exit_window_prepare();
  }
  const uint64_t wakeups = !ms ? 0 : hz ? (ms * hz + 999) / 1000 : 1;

  phase_mark(mark_idle);
  exit_window_open();
  const uint64_t began = read_tsc();
  idle(clock_cycles_from_us(ms * 1000), wakeups, hz);
  const uint64_t cycles = read_tsc() - began;
  if (measured) {
    phase_mark(mark_latency);
    exit_window_close();
    measure_latency(&latencies, measured, hz ? hz : 1000);
  }
  phase_mark(mark_result);

  if (!measured) {
    print_number(wakeups);
    print_line(" timer wake-ups");
  } else {
    print_results(wakeups, cycles, &latencies);
  }
  return status_ok;
}
