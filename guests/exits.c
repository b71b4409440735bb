// @exits: hardware exits whose number is determined, kind after kind, and nothing else.
//
//   kinds=A,B  only these (default all but hypercall): port mmio cpuid rdmsr wrmsr hypercall hlt cr3 invlpg
//   pages n=N        rounds of each kind (default 100)
//
// Each kind is a phase of its own, which begins with the mark 0x40 (port) to 0x49 (pages) on port 0x80; the
// mark 0x4f ends the last one. Which of them cause an exit depends on how KVM pages (README.md, "Hardware
// exits").
#include "lib/apic.h"
#include "lib/clock.h"
#include "lib/cpu.h"
#include "lib/guest.h"
#include "lib/memory.h"

enum { mark_first_kind = 0x40, mark_end = 0x4f };

const char* const guest_option_keys[] = {"kinds", "n", 0};

static void do_port(uint64_t rounds) {
  while (rounds--) out8(port_unclaimed, 0);
}

static void do_mmio(uint64_t rounds) {
  while (rounds--) mmio_write32(address_unclaimed_write, 0);
}

static void do_cpuid(uint64_t rounds) {
  while (rounds--) cpuid(0);
}

// IA32_APIC_BASE: hardware never lets a guest read it by itself.
static void do_rdmsr(uint64_t rounds) {
  while (rounds--) read_msr(0x1b);
}

// IA32_BIOS_SIGN_ID: hypervisors intercept and ignore the write.
static void do_wrmsr(uint64_t rounds) {
  while (rounds--) write_msr(0x8b, 0);
}

// KVM_HC_VAPIC_POLL_IRQ, which does nothing, by the vendor's own instruction: KVM would put it in place of
// the other's. A KVM that emulates the guest's every instruction does so without end, so that this kind has
// to be asked for.
static bool intel;
static void do_hypercall(uint64_t rounds) {
  while (rounds--) {
    uint64_t result = 1;
    if (intel)
      asm volatile("vmcall" : "+a"(result) : : "memory");
    else
      asm volatile("vmmcall" : "+a"(result) : : "memory");
  }
}

// A millisecond is long enough for the timer not to go off before the HLT.
static void do_hlt(uint64_t rounds) {
  const uint64_t cycles = clock_cycles_from_us(1000);
  while (rounds--) timer_sleep_until(read_tsc() + cycles);
}

static void do_cr3(uint64_t rounds) {
  uint64_t cr3;
  asm volatile("mov %%cr3, %0" : "=r"(cr3));
  while (rounds--) asm volatile("mov %0, %%cr3" : : "r"(cr3) : "memory");
}

// Of an address that has not been touched, so that nothing has to be mapped again.
static void do_invlpg(uint64_t rounds) {
  while (rounds--) asm volatile("invlpg (%0)" : : "r"(address_unclaimed_read) : "memory");
}

static volatile uint8_t* pages;
static void do_pages(uint64_t rounds) {
  for (; rounds--; pages += 4096) *pages = 1;
}

static const struct kind {
  const char* name;
  void (*rounds)(uint64_t rounds);
} kinds[] = {
    {"port", do_port},     {"mmio", do_mmio},           {"cpuid", do_cpuid}, {"rdmsr", do_rdmsr},
    {"wrmsr", do_wrmsr},   {"hypercall", do_hypercall}, {"hlt", do_hlt},     {"cr3", do_cr3},
    {"invlpg", do_invlpg}, {"pages", do_pages},
};
enum { kind_count = sizeof kinds / sizeof kinds[0], kind_hypercall = 5, kind_hlt = 6, kind_pages = 9 };

static void choose(bool* wanted, const struct option* word) {
  for (unsigned i = 0; i < kind_count; ++i) {
    if (!option_is(word, kinds[i].name)) continue;
    wanted[i] = true;
    return;
  }
  guest_fail("kinds=: a list of port,mmio,cpuid,rdmsr,wrmsr,hypercall,hlt,cr3,invlpg,pages");
}

static void choose_kinds(const struct guest* guest, bool* wanted) {
  const struct option* list = option_find(guest, "kinds");
  for (unsigned i = 0; !list && i < kind_count; ++i) wanted[i] = i != kind_hypercall;
  struct option word;
  unsigned at = 0;
  while (option_next_word(list, &at, &word)) choose(wanted, &word);
}

// What causes exits of its own, before the first mark.
static void prepare(const struct guest* guest, const bool* wanted, uint64_t rounds) {
  if (wanted[kind_hypercall]) intel = cpuid(0).ecx == 0x6c65746e;  // "ntel"
  if (wanted[kind_hlt]) {
    if (!apic_present()) guest_fail("kinds=hlt needs a local APIC to wake up by");
    apic_enable();
    timer_initialize();
    clock_tsc_khz();
  }
  if (wanted[kind_pages]) {
    memory_initialize(guest);
    pages = memory_take(rounds * 4096, 4096);
  }
}

int guest_main(const struct guest* guest) {
  static bool wanted[kind_count];
  choose_kinds(guest, wanted);
  const uint64_t rounds = option_number(guest, "n", 100, 1, 1u << 24);
  prepare(guest, wanted, rounds);
  for (unsigned i = 0; i < kind_count; ++i) {
    if (!wanted[i]) continue;
    phase_mark((uint8_t)(mark_first_kind + i));
    kinds[i].rounds(rounds);
  }
  phase_mark(mark_end);
  return status_ok;
}
