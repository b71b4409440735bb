// @mix: a number of exits of each kind, kind after kind, and what each round cost by the guest's own clock.
//
//   kinds=A,B  only these (default all): serial port string mmio-read mmio-write hlt cpuid rdmsr wrmsr
//   n=N        rounds of each kind
//   budget_ms=N  without n=: rounds for that long, of each kind (default 200)
//
// Each kind is a phase of its own, which begins with the mark 0x10 (serial) to 0x18 (wrmsr) on port 0x80; the
// table that is printed at the end is phase 0x1f. Cycles are those from round to round, so they contain the
// loop's own few instructions and an RDTSC.
#include "lib/apic.h"
#include "lib/clock.h"
#include "lib/cpu.h"
#include "lib/guest.h"
#include "lib/print.h"

enum { mark_first_kind = 0x10, mark_table = 0x1f };

const char* const guest_option_keys[] = {"kinds", "n", "budget_ms", 0};

static uint64_t hlt_cycles;  // from the arming of the timer to its interrupt

// A round function does one round or more, at most `left`, and says how many.
typedef uint64_t round_function(uint64_t left);

// A carriage return leaves nothing to be seen on a terminal.
static uint64_t serial_round(uint64_t left) {
  (void)left;
  out8(port_serial_data, '\r');
  return 1;
}

static uint64_t port_round(uint64_t left) {
  (void)left;
  out8(port_unclaimed, 0);
  return 1;
}

// A round is a byte; KVM exits to user space for each byte of a REP OUTSB.
static uint64_t string_round(uint64_t left) {
  static const char bytes[] = "sixteen of bytes";
  const uint64_t count = left < sizeof bytes - 1 ? left : sizeof bytes - 1;
  out_string8(port_unclaimed_string, bytes, count);
  return count;
}

static uint64_t mmio_read_round(uint64_t left) {
  (void)left;
  mmio_read32(address_unclaimed_read);
  return 1;
}

static uint64_t mmio_write_round(uint64_t left) {
  (void)left;
  mmio_write32(address_unclaimed_write, 0);
  return 1;
}

static uint64_t hlt_round(uint64_t left) {
  (void)left;
  timer_sleep_until(read_tsc() + hlt_cycles);
  return 1;
}

static uint64_t cpuid_round(uint64_t left) {
  (void)left;
  cpuid(0);
  return 1;
}

// IA32_APIC_BASE: hardware never lets a guest read it by itself.
static uint64_t rdmsr_round(uint64_t left) {
  (void)left;
  read_msr(0x1b);
  return 1;
}

// IA32_BIOS_SIGN_ID: hypervisors intercept and ignore the write.
static uint64_t wrmsr_round(uint64_t left) {
  (void)left;
  write_msr(0x8b, 0);
  return 1;
}

struct kind {
  const char* name;
  round_function* round;
};

static const struct kind kinds[] = {
    {"serial", serial_round},         {"port", port_round},
    {"string", string_round},         {"mmio-read", mmio_read_round},
    {"mmio-write", mmio_write_round}, {"hlt", hlt_round},
    {"cpuid", cpuid_round},           {"rdmsr", rdmsr_round},
    {"wrmsr", wrmsr_round},
};
enum { kind_count = sizeof kinds / sizeof kinds[0], kind_hlt = 5 };

struct result {
  bool wanted, done;
  uint64_t rounds, cycles, least, most;
};

static unsigned find_kind(const struct option* word) {
  for (unsigned i = 0; i < kind_count; ++i)
    if (option_is(word, kinds[i].name)) return i;
  guest_fail("kinds=: a list of serial,port,string,mmio-read,mmio-write,hlt,cpuid,rdmsr,wrmsr");
}

static void choose_kinds(const struct guest* guest, struct result* results) {
  const struct option* list = option_find(guest, "kinds");
  if (!list) {
    for (unsigned i = 0; i < kind_count; ++i) results[i].wanted = true;
    return;
  }
  struct option word;
  unsigned at = 0;
  while (option_next_word(list, &at, &word)) results[find_kind(&word)].wanted = true;
}

static void run(round_function* round, uint64_t rounds, uint64_t budget, struct result* result) {
  const uint64_t begin = read_tsc();
  uint64_t before = begin;
  result->least = UINT64_MAX;
  while (result->rounds < rounds && before - begin < budget) {
    const uint64_t done = round(rounds - result->rounds);
    const uint64_t now = read_tsc();
    const uint64_t each = done == 1 ? now - before : (now - before) / done;
    if (each < result->least) result->least = each;
    if (each > result->most) result->most = each;
    result->rounds += done;
    before = now;
  }
  result->cycles = before - begin;
  result->done = true;
}

static void print_row(const char* name, const struct result* result) {
  print_text_padded(name, 10);
  print_number_padded(result->rounds, 12);
  print_number_padded(result->cycles / result->rounds, 12);
  print_number_padded(result->least, 12);
  print_number_padded(result->most, 12);
  print_line("");
}

static void print_table(const struct result* results) {
  print_line("kind            rounds mean cycles         min         max");
  for (unsigned i = 0; i < kind_count; ++i) {
    if (results[i].done) print_row(kinds[i].name, &results[i]);
    if (results[i].wanted && !results[i].done) print_line("hlt        left out: no local APIC to wake up by");
  }
}

int guest_main(const struct guest* guest) {
  static struct result results[kind_count];
  choose_kinds(guest, results);
  const uint64_t rounds = option_number(guest, "n", UINT64_MAX, 1, UINT64_MAX - 1);
  const uint64_t budget_ms = option_number(guest, "budget_ms", 200, 1, 3600000);
  const uint64_t budget = rounds == UINT64_MAX ? clock_cycles_from_us(budget_ms * 1000) : UINT64_MAX;
  const bool can_wake_up = results[kind_hlt].wanted && apic_present();
  if (can_wake_up) {
    apic_enable();
    timer_initialize();
    hlt_cycles = clock_cycles_from_us(50);
  }

  for (unsigned i = 0; i < kind_count; ++i) {
    if (!results[i].wanted || (i == kind_hlt && !can_wake_up)) continue;
    phase_mark((uint8_t)(mark_first_kind + i));
    run(kinds[i].round, rounds, budget, &results[i]);
  }
  phase_mark(mark_table);
  print_table(results);
  return status_ok;
}
