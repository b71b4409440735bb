// @idle: halts for a while, woken by the local APIC's timer.
//
//   seconds=N  how long (default 1)
//   hz=H       wake up H times a second, as a kernel with a periodic tick does (default: not before the end)
//
// The timer is armed anew for every wake-up, to a time counted from the beginning: N * H wake-ups in all,
// or 1. Phase marks: 0x30 idle, 0x31 result.
#include "lib/apic.h"
#include "lib/clock.h"
#include "lib/cpu.h"
#include "lib/guest.h"
#include "lib/print.h"

enum { mark_idle = 0x30, mark_result = 0x31 };

const char* const guest_option_keys[] = {"seconds", "hz", 0};

int guest_main(const struct guest* guest) {
  const uint64_t seconds = option_number(guest, "seconds", 1, 1, 1000000);
  const uint64_t hz = option_number(guest, "hz", 0, 1, 100000);
  if (!apic_present()) guest_fail("idle needs a local APIC");
  apic_enable();
  timer_initialize();

  const uint64_t cycles = clock_cycles_from_us(seconds * 1000000);
  const uint64_t wakeups = hz ? seconds * hz : 1;
  const uint64_t period = cycles / wakeups;

  phase_mark(mark_idle);
  uint64_t deadline = read_tsc();
  for (uint64_t i = 0; i < wakeups; ++i) {
    deadline += period;
    timer_sleep_until(deadline);
  }
  phase_mark(mark_result);

  print_number(wakeups);
  print_line(" timer wake-ups");
  return status_ok;
}
