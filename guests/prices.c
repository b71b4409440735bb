// @prices: what each kind of exit costs by the guest's own clock, round by round (kvmbench bench exits).
//
//   n=N        rounds of each kind at most (default 20000)
//   us=N       no kind takes longer than that, once begun (default 50000)
//   only=KIND  this kind alone
//
// Each kind is a phase of its own, which begins with the mark 0x10 + its place in the table below on port
// 0x80; the lines of result.h are phase 0x0f. A round is between two RDTSC, which the kind `nothing` has
// alone. `exits` is KVM's own count during all rounds, by the exit-count interface; without it there is none.
#include "lib/clock.h"
#include "lib/cpu.h"
#include "lib/guest.h"
#include "lib/kvmbench_guest.h"
#include "lib/memory.h"
#include "lib/result.h"

enum { mark_results = 0x0f, mark_first_kind = 0x10 };

const char* const guest_option_keys[] = {"n", "us", "only", 0};

static void round_nothing(void) {}

static void round_cpuid(void) {
  cpuid(0);
}

// IA32_APIC_BASE: hardware never lets a guest read it by itself.
static void round_rdmsr(void) {
  read_msr(0x1b);
}

// IA32_BIOS_SIGN_ID: hypervisors intercept and ignore the write.
static void round_wrmsr(void) {
  write_msr(0x8b, 0);
}

static void round_out(void) {
  out8(port_unclaimed, 0);
}

static void round_in(void) {
  in8(port_unclaimed);
}

static void round_mmio_read(void) {
  mmio_read32(address_unclaimed_read);
}

static void round_mmio_write(void) {
  mmio_write32(address_unclaimed_write, 0);
}

static const struct kind {
  const char* name;
  void (*round)(void);
} kinds[] = {
    {"nothing", round_nothing},     {"cpuid", round_cpuid},           {"rdmsr-kernel", round_rdmsr},
    {"wrmsr-kernel", round_wrmsr},  {"out-nobody", round_out},        {"in-nobody", round_in},
    {"mmio-read", round_mmio_read}, {"mmio-write", round_mmio_write},
};
enum { kind_count = sizeof kinds / sizeof kinds[0] };

static struct kvmbench_interface interface;
static bool counted;

static uint64_t exits_so_far(void) {
  if (!counted) return 0;
  const struct kvmbench_answer all = kvmbench_ask(&interface, KVMBENCH_LEAF_ALL, 0);
  return kvmbench_u64(all.edx, all.eax);
}

static void measure(const struct kind* kind, uint64_t rounds, uint64_t budget, struct latencies* to) {
  const uint64_t begin = read_tsc();
  uint64_t after = begin;
  while (to->count < rounds && after - begin < budget) {
    const uint64_t before = read_tsc();
    kind->round();
    after = read_tsc();
    latency_add(to, after - before);
  }
  to->elapsed = after - begin;
}

int guest_main(const struct guest* guest) {
  static struct latencies measured[kind_count];
  static uint64_t exits[kind_count];
  const uint64_t rounds = option_number(guest, "n", 20000, 1, 1u << 20);
  const uint64_t budget = clock_cycles_from_us(option_number(guest, "us", 50000, 1, 3600000000));
  const struct option* only = option_find(guest, "only");
  memory_initialize(guest);
  counted = kvmbench_discover(&interface);
  bool any = false;
  for (unsigned i = 0; i < kind_count; ++i) {
    if (only && !option_is(only, kinds[i].name)) continue;
    any = true;
    measured[i].cycles = memory_take(rounds * sizeof *measured[i].cycles, 64);
    phase_mark((uint8_t)(mark_first_kind + i));
    const uint64_t before = exits_so_far();
    measure(&kinds[i], rounds, budget, &measured[i]);
    exits[i] = exits_so_far() - before;
  }
  if (!any) option_fail("no kind of this guest: ", only);
  phase_mark(mark_results);
  for (unsigned i = 0; i < kind_count; ++i) {
    if (!measured[i].count) continue;
    result_begin(kinds[i].name);
    result_latencies(&measured[i]);
    if (counted) result_number("exits", exits[i]);
    result_end();
  }
  return status_ok;
}
