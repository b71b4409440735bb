// @tsx: transactions (RTM) of growing length, while a timer interrupts at growing rates.
//
//   n=ROUNDS  transactions of each length at each rate (default 200)
//
// A transaction writes to so many cache lines, one after the other, and commits; one that aborts is not tried
// again. A line for each length and rate: how many committed, and how many aborted for each cause that EAX
// names (Intel SDM vol. 1, table 17-1); `other` is none of them, as after an interrupt. A CPU without RTM, or
// one whose transactions all abort, is told as unavailable.
#include "lib/apic.h"
#include "lib/clock.h"
#include "lib/cpu.h"
#include "lib/guest.h"
#include "lib/interrupts.h"
#include "lib/result.h"

const char* const guest_option_keys[] = {"n", 0};

enum { line_bytes = 64, lines_max = 256 };
static const uint64_t lengths[] = {1, 4, 16, 64, 256};
static const uint64_t rates[] = {0, 100, 1000, 10000};  // interrupts a second
enum { length_count = sizeof lengths / sizeof *lengths, rate_count = sizeof rates / sizeof *rates };

static volatile uint8_t lines[lines_max * line_bytes] __attribute__((aligned(line_bytes)));

// Timer
// --------------------------------------------------------------------------------------------------------------

static volatile uint64_t interrupts;

// The loop of transactions arms the timer again.
__attribute__((interrupt)) static void on_timer(struct interrupt_frame* frame) {
  (void)frame;
  ++interrupts;
  apic_end_of_interrupt();
}

// Transactions
// -------------------------------------------------------------------------------------------------------

enum { committed = ~0u };
enum { cause_explicit, cause_retry, cause_conflict, cause_overflow, cause_debug, cause_nested, cause_other };
enum { cause_count = cause_other + 1 };
static const char* const cause_names[] = {"explicit", "retry",  "conflict", "overflow",
                                          "debug",    "nested", "other"};

// EAX of XBEGIN: what it holds before where the transaction commits.
static uint32_t transaction(uint64_t length) {
  uint32_t status = committed;
  volatile uint8_t* at = lines;
  asm volatile(
      "xbegin 2f\n\t"
      "1: incb (%1)\n\t"
      "add %3, %1\n\t"
      "dec %2\n\t"
      "jnz 1b\n\t"
      "xend\n\t"
      "2:"
      : "+a"(status), "+r"(at), "+r"(length)
      : "i"(line_bytes)
      : "memory", "cc");
  return status;
}

static unsigned cause_of(uint32_t status) {
  if (status & 1u << 0) return cause_explicit;
  if (status & 1u << 2) return cause_conflict;
  if (status & 1u << 3) return cause_overflow;
  if (status & 1u << 4) return cause_debug;
  if (status & 1u << 5) return cause_nested;
  return status & 1u << 1 ? cause_retry : cause_other;
}

static void measure(uint64_t length, uint64_t rate, uint64_t rounds) {
  static char name[] = "lines-000-rate-00000";
  uint64_t causes[cause_count] = {0}, commits = 0;
  interrupts = 0;
  enable_interrupts();
  const uint64_t began = read_tsc();
  uint64_t taken = 0;
  for (uint64_t i = 0; i < rounds; ++i) {
    if (rate && (interrupts != taken || i == 0)) {
      taken = interrupts;
      timer_arm_after_us(1000000 / rate);
    }
    const uint32_t status = transaction(length);
    if (status == committed)
      ++commits;
    else
      ++causes[cause_of(status)];
  }
  const uint64_t cycles = read_tsc() - began;
  disable_interrupts();
  timer_disarm();

  for (unsigned i = 0, rest = (unsigned)length; i < 3; ++i, rest /= 10) name[8 - i] = (char)('0' + rest % 10);
  for (unsigned i = 0, rest = (unsigned)rate; i < 5; ++i, rest /= 10) name[19 - i] = (char)('0' + rest % 10);
  result_begin(name);
  result_number("rounds", rounds);
  result_number("committed", commits);
  for (unsigned i = 0; i < cause_count; ++i) result_number(cause_names[i], causes[i]);
  result_number("interrupts", interrupts);
  result_number("cycles", cycles);
  result_end();
}

static const char* lacking(void) {
  const uint32_t rtm = 1u << 11, always_abort = 1u << 11;  // of EBX and EDX (Intel SDM vol. 2A, CPUID leaf 7)
  if (cpuid(0).eax < 7) return "this CPU has no leaf 7 of CPUID, and so no RTM";
  const struct cpuid features = cpuid(7);
  if (!(features.ebx & rtm))
    return features.edx & always_abort ? "this CPU's RTM is switched off (RTM_ALWAYS_ABORT)"
                                       : "this CPU has no RTM";
  if (features.edx & always_abort) return "this CPU's transactions all abort (RTM_ALWAYS_ABORT)";
  return apic_present() ? 0 : "no local APIC, whose timer is to interrupt";
}

int guest_main(const struct guest* guest) {
  const uint64_t rounds = option_number(guest, "n", 200, 1, 1u << 24);
  const char* why = lacking();
  if (why) {
    result_unavailable("rtm", why);
    return status_ok;
  }
  apic_enable();
  timer_initialize();
  interrupts_set_handler(vector_timer, on_timer);
  clock_tsc_khz();
  for (unsigned length = 0; length < length_count; ++length)
    for (unsigned rate = 0; rate < rate_count; ++rate) measure(lengths[length], rates[rate], rounds);
  return status_ok;
}
