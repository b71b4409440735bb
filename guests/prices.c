// @prices: what each kind of exit costs by the guest's own clock, round by round (kvmbench bench exits).
//
//   kinds=A,B  only these; without, all that need neither a second CPU nor the exit probe, but hypercall
//   n=N        rounds of each kind at most (default 20000)
//   us=N       no kind takes longer than that, once begun (default 50000), but for those that need some
//   rounds
//
// Each kind is a phase of its own, which begins with the mark 0x10 + its place in the table below on port
// 0x80; the lines of result.h, with the mark among the figures, are phase 0x0f. A round is between two RDTSC,
// which the kind `nothing` has alone. `exits` is KVM's own count during all rounds, by the exit-count
// interface; without it there is none. What has to be set up for a kind is done before its mark.
#include "lib/apic.h"
#include "lib/clock.h"
#include "lib/cpu.h"
#include "lib/guest.h"
#include "lib/interrupts.h"
#include "lib/io_apic.h"
#include "lib/kvmbench_guest.h"
#include "lib/memory.h"
#include "lib/result.h"
#include "lib/smp.h"

enum { mark_results = 0x0f, mark_first_kind = 0x10, mark_prepare = 0x7f };

const char* const guest_option_keys[] = {"kinds", "n", "us", 0};

// src/vmm/exit_probe.hpp
enum {
  probe_port = 0x2f40,
  probe_any = 0x00,
  probe_exact = 0x08,
  probe_coalesced = 0x10,
  probe_interrupt = 0x18,
  probe_record = 0x20,
  probe_word = 0x24,
  probe_work = 0x28,
  probe_exact_value = 0x5a,
  probe_gsi = 11,
};
static const uint64_t probe_registers = 0xdf100000, probe_read_only = 0xdf200000;

enum { port_pic_mask = 0x21, port_uart_scratch = 0x3ff, string_bytes = 64 };

static struct kvmbench_interface interface;
static bool counted;
static const struct guest* this_guest;

// A round gives the cycles that are not to be counted. What sets a kind up gives why it cannot be, or null.
typedef uint64_t round_function(void);
typedef const char* prepare_function(void);

static uint64_t round_nothing(void) {
  return 0;
}

static uint64_t round_cpuid(void) {
  cpuid(0);
  return 0;
}

// KVM_HC_VAPIC_POLL_IRQ, which does nothing, by the vendor's own instruction.
static bool intel;
static const char* prepare_hypercall(void) {
  intel = cpuid(0).ecx == 0x6c65746e;  // "ntel"
  return 0;
}
static uint64_t round_hypercall(void) {
  uint64_t result = 1;
  if (intel)
    asm volatile("vmcall" : "+a"(result) : : "memory");
  else
    asm volatile("vmmcall" : "+a"(result) : : "memory");
  return 0;
}

// IA32_APIC_BASE: hardware never lets a guest read it by itself.
static uint64_t round_rdmsr(void) {
  read_msr(0x1b);
  return 0;
}

// IA32_BIOS_SIGN_ID: hypervisors intercept and ignore the write.
static uint64_t round_wrmsr(void) {
  write_msr(0x8b, 0);
  return 0;
}

static const char* prepare_msr(void) {
  return counted && interface.features & KVMBENCH_FEATURE_MSR ? 0 : "the machine has no MSRs of its own";
}
static uint64_t round_rdmsr_user(void) {
  kvmbench_read_msr(&interface, KVMBENCH_MSR_ALL);
  return 0;
}

// The exit-count interface's MSRs are read-only: the answer is #GP, whose handler goes on after the WRMSR.
static volatile uint64_t exceptions;
__attribute__((interrupt)) static void skip_two_with_code(struct interrupt_frame* frame,
                                                          uint64_t error_code) {
  (void)error_code;
  exceptions = exceptions + 1;
  frame->rip += 2;
}
static const char* prepare_wrmsr_user(void) {
  const char* why = prepare_msr();
  if (!why) interrupts_set_exception_handler(13, skip_two_with_code);
  return why;
}
static uint64_t round_wrmsr_user(void) {
  write_msr(interface.first_msr, 0);
  return 0;
}

static uint64_t round_in_irqchip(void) {
  in8(port_pic_mask);
  return 0;
}
static uint64_t round_out_irqchip(void) {
  out8(port_pic_mask, 0xff);
  return 0;
}
static uint64_t round_in_device(void) {
  in8(port_uart_scratch);
  return 0;
}
static uint64_t round_out_device(void) {
  out8(port_uart_scratch, 0);
  return 0;
}
static uint64_t round_in(void) {
  in8(port_unclaimed);
  return 0;
}
static uint64_t round_out(void) {
  out8(port_unclaimed, 0);
  return 0;
}

static uint8_t string[string_bytes] __attribute__((aligned(string_bytes)));
static uint64_t round_rep_out(void) {
  out_string8(port_unclaimed_string, string, sizeof string);
  return 0;
}
static uint64_t round_rep_in(void) {
  void* to = string;
  uint64_t count = sizeof string;
  asm volatile("rep insb" : "+D"(to), "+c"(count) : "d"((uint16_t)port_unclaimed_string) : "memory");
  return 0;
}

// The same bytes at once and one by one (kvmbench bench complexity).
enum { block_bytes = 256 };
static uint8_t block[block_bytes] __attribute__((aligned(block_bytes)));
static uint64_t round_rep_out_block(void) {
  out_string8(port_unclaimed_string, block, sizeof block);
  return 0;
}
static uint64_t round_out_block(void) {
  for (unsigned i = 0; i < sizeof block; ++i) out8(port_unclaimed_string, block[i]);
  return 0;
}
static uint64_t round_rep_in_block(void) {
  void* to = block;
  uint64_t count = sizeof block;
  asm volatile("rep insb" : "+D"(to), "+c"(count) : "d"((uint16_t)port_unclaimed_string) : "memory");
  return 0;
}
static uint64_t round_in_block(void) {
  for (unsigned i = 0; i < sizeof block; ++i) block[i] = in8(port_unclaimed_string);
  return 0;
}

// A record of 64 bytes by its address, and by its words.
enum { record_words = 16 };
static uint32_t record[record_words] __attribute__((aligned(64)));
static uint64_t round_record_pointer(void) {
  out32(probe_port + probe_record, (uint32_t)(uint64_t)record);
  return 0;
}
static uint64_t round_record_words(void) {
  for (unsigned i = 0; i < record_words; ++i) out32(probe_port + probe_word, record[i]);
  return 0;
}

// 256 units of work by so many exits.
enum { work_units = 256 };
static uint64_t work_by(unsigned exits) {
  for (unsigned i = 0; i < exits; ++i) out32(probe_port + probe_work, work_units / exits);
  return 0;
}
static uint64_t round_work_1(void) {
  return work_by(1);
}
static uint64_t round_work_4(void) {
  return work_by(4);
}
static uint64_t round_work_16(void) {
  return work_by(16);
}
static uint64_t round_work_64(void) {
  return work_by(64);
}
static uint64_t round_work_256(void) {
  return work_by(256);
}

static uint64_t round_mmio_read(void) {
  mmio_read32(address_unclaimed_read);
  return 0;
}
static uint64_t round_mmio_write(void) {
  mmio_write32(address_unclaimed_write, 0);
  return 0;
}

static uint64_t round_doorbell_port(void) {
  out8(probe_port + probe_any, 1);
  return 0;
}
static uint64_t round_doorbell_port_exact(void) {
  out8(probe_port + probe_exact, probe_exact_value);
  return 0;
}
static uint64_t round_doorbell_mmio(void) {
  mmio_write32(probe_registers + probe_any, 1);
  return 0;
}
static uint64_t round_doorbell_mmio_exact(void) {
  mmio_write32(probe_registers + probe_exact, probe_exact_value);
  return 0;
}

// The ring holds 169, the next one empties it; so does a read. Twice at least.
enum { two_rings = 2 * 170 };
static const char* prepare_coalesced(void) {
  mmio_read32(probe_registers + probe_coalesced);
  return 0;
}
static uint64_t round_coalesced_mmio(void) {
  mmio_write32(probe_registers + probe_coalesced, 1);
  return 0;
}
static uint64_t round_coalesced_port(void) {
  out32(probe_port + probe_coalesced, 1);
  return 0;
}

// CR0.TS, which nothing here looks at, changes with each write.
static uint64_t round_cr0(void) {
  uint64_t value;
  asm volatile("mov %%cr0, %0\n\txor $8, %0\n\tmov %0, %%cr0" : "=&r"(value) : : "memory", "cc");
  return 0;
}
static uint64_t round_cr4(void) {
  uint64_t value;
  asm volatile("mov %%cr4, %0\n\tmov %0, %%cr4" : "=&r"(value) : : "memory");
  return 0;
}
static uint64_t round_cr8(void) {
  asm volatile("mov %0, %%cr8" : : "r"(0ull) : "memory");
  return 0;
}
static uint64_t round_dr7(void) {
  asm volatile("mov %0, %%dr7" : : "r"(0x400ull) : "memory");
  return 0;
}

// Two page tables which map the same.
extern uint64_t page_map_level_4[512];
static uint64_t other_page_map[512] __attribute__((aligned(4096)));
static uint64_t cr3_values[2];
static unsigned cr3_next;
static void write_cr3(uint64_t value) {
  asm volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}
static const char* prepare_cr3(void) {
  copy_words(other_page_map, page_map_level_4, 512);
  cr3_values[0] = (uint64_t)page_map_level_4;
  cr3_values[1] = (uint64_t)other_page_map;
  return 0;
}
static uint64_t round_cr3(void) {
  write_cr3(cr3_values[cr3_next ^= 1]);
  return 0;
}

// Intel SDM vol. 3, 4.10.4.1: with bit 63, what the TLBs hold for the PCID stays.
static const char* prepare_cr3_pcid(void) {
  if (!(cpuid(1).ecx & 1u << 17)) return "the machine's CPU has no PCID";
  prepare_cr3();
  write_cr3(cr3_values[0]);
  uint64_t cr4;
  asm volatile("mov %%cr4, %0\n\tor $0x20000, %0\n\tmov %0, %%cr4" : "=&r"(cr4) : : "memory", "cc");
  cr3_values[0] |= 1ull << 63 | 1;
  cr3_values[1] |= 1ull << 63 | 2;
  return 0;
}

// Of an address that has not been touched, so that nothing has to be mapped again.
static uint64_t round_invlpg(void) {
  asm volatile("invlpg (%0)" : : "r"(address_unclaimed_read) : "memory");
  return 0;
}

static const char* prepare_apic(void) {
  static bool enabled;
  if (!apic_present()) return "the machine has no local APIC";
  if (!enabled) apic_enable();
  enabled = true;
  return 0;
}

static volatile uint64_t interrupts;
__attribute__((interrupt)) static void count_interrupt(struct interrupt_frame* frame) {
  (void)frame;
  interrupts = interrupts + 1;
  apic_end_of_interrupt();
}

static const char* prepare_irqfd(void) {
  const char* why = prepare_apic();
  if (why) return why;
  interrupts_set_handler(vector_device, count_interrupt);
  io_apic_route(probe_gsi, vector_device, trigger_edge);
  return 0;
}
static uint64_t round_irqfd(void) {
  const uint64_t before = interrupts;
  out8(probe_port + probe_interrupt, 1);
  while (interrupts == before) halt_until_interrupt();
  return 0;
}

static const char* prepare_self_ipi(void) {
  const char* why = prepare_apic();
  if (!why) interrupts_set_handler(vector_ipi, count_interrupt);
  return why;
}
static uint64_t round_self_ipi(void) {
  const uint64_t before = interrupts;
  apic_send_ipi(apic_id(), vector_ipi);
  while (interrupts == before) asm volatile("sti\n\tnop\n\tcli" : : : "memory");
  return 0;
}

static void wait_for_interrupts(struct cpu* cpu) {
  (void)cpu;
  enable_interrupts();
  for (;;) pause();
}
static const char* prepare_ipi(void) {
  if (!apic_present()) return "the machine has no local APIC";
  interrupts_set_handler(vector_ipi, count_interrupt);
  return smp_start(this_guest, 0, wait_for_interrupts) < 2 ? "the machine has one CPU only" : 0;
}
static uint64_t round_ipi(void) {
  const uint64_t before = interrupts;
  apic_send_ipi(smp_cpu(1)->apic_id, vector_ipi);
  while (interrupts == before) pause();
  return 0;
}

static const uint32_t msr_tsc_deadline = 0x6e0;
static const char* prepare_timer(void) {
  const char* why = prepare_apic();
  if (why) return why;
  timer_initialize();
  return cpuid(1).ecx & 1u << 24 ? 0 : "the machine's local APIC has no TSC deadline";
}
static uint64_t round_timer_arm(void) {
  write_msr(msr_tsc_deadline, ~0ull >> 1);
  return 0;
}
// How much later than 100 us it is awake.
static uint64_t round_timer_wake(void) {
  const uint64_t sleep = clock_cycles_from_us(100);
  timer_sleep_until(read_tsc() + sleep);
  return sleep;
}

static uint64_t round_pause(void) {
  pause();
  return 0;
}

__attribute__((interrupt)) static void skip_two(struct interrupt_frame* frame) {
  exceptions = exceptions + 1;
  frame->rip += 2;
}
static const char* prepare_ud(void) {
  interrupts_set_handler(6, skip_two);
  return 0;
}
static uint64_t round_ud(void) {
  asm volatile("ud2" : : : "memory");
  return 0;
}

// The last 2 MiB below 3 GiB, where nothing is: the instruction has two bytes.
static const uint64_t unmapped = 0xbfe00000;
static const char* prepare_pf(void) {
  extern uint64_t page_directories[];
  page_directories[unmapped >> 21] = 0;
  asm volatile("invlpg (%0)" : : "r"(unmapped) : "memory");
  interrupts_set_exception_handler(14, skip_two_with_code);
  return 0;
}
static uint64_t round_pf(void) {
  uint64_t address = unmapped;
  asm volatile(".byte 0x8a, 0x00" : "+a"(address) : : "memory");  // mov (%rax), %al
  return 0;
}

// EFLAGS.TF: #DB after the instruction that follows the POPF.
static const uint64_t flag_tf = 1u << 8;
__attribute__((interrupt)) static void end_single_step(struct interrupt_frame* frame) {
  exceptions = exceptions + 1;
  frame->rflags &= ~flag_tf;
}
static uint64_t round_db(void) {
  asm volatile("pushfq\n\torq %0, (%%rsp)\n\tpopfq\n\tnop" : : "i"(flag_tf) : "memory", "cc");
  return 0;
}
static const char* prepare_db(void) {
  interrupts_set_handler(1, end_single_step);
  const uint64_t before = exceptions;
  round_db();
  return exceptions == before + 1 ? 0 : "EFLAGS.TF brought no #DB";
}

static uint64_t wanted_rounds;
static volatile uint8_t* page;
static uint64_t page_bytes, pages_left;
static const char* prepare_pages(uint64_t bytes) {
  page_bytes = bytes;
  const uint64_t room = memory_left() / bytes;
  pages_left = room < 2 ? 0 : room - 1 < wanted_rounds ? room - 1 : wanted_rounds;
  if (!pages_left) return "the machine has too little memory";
  page = memory_take(pages_left * bytes, bytes);
  return 0;
}
static const char* prepare_touch_4k(void) {
  return prepare_pages(4096);
}
static const char* prepare_touch_2m(void) {
  return prepare_pages(2u << 20);
}
static uint64_t round_touch(void) {
  *page = 1;
  page += page_bytes;
  --pages_left;
  return 0;
}

static uint64_t round_read_only(void) {
  mmio_write32(probe_read_only, 1);
  return 0;
}

static uint64_t round_wbinvd(void) {
  asm volatile("wbinvd" : : : "memory");
  return 0;
}

static const struct kind {
  const char* name;
  round_function* round;
  prepare_function* prepare;
  bool on_demand;  // not without kinds=
  uint64_t least;  // rounds, however long they take
} kinds[] = {
    {"nothing", round_nothing, 0, false, 0},
    {"cpuid", round_cpuid, 0, false, 0},
    {"hypercall", round_hypercall, prepare_hypercall, true, 0},
    {"rdmsr-kernel", round_rdmsr, 0, false, 0},
    {"wrmsr-kernel", round_wrmsr, 0, false, 0},
    {"rdmsr-user", round_rdmsr_user, prepare_msr, false, 0},
    {"wrmsr-user", round_wrmsr_user, prepare_wrmsr_user, false, 0},
    {"in-irqchip", round_in_irqchip, 0, false, 0},
    {"out-irqchip", round_out_irqchip, 0, false, 0},
    {"in-device", round_in_device, 0, false, 0},
    {"out-device", round_out_device, 0, false, 0},
    {"in-nobody", round_in, 0, false, 0},
    {"out-nobody", round_out, 0, false, 0},
    {"rep-out", round_rep_out, 0, false, 0},
    {"rep-in", round_rep_in, 0, false, 0},
    {"mmio-read", round_mmio_read, 0, false, 0},
    {"mmio-write", round_mmio_write, 0, false, 0},
    {"doorbell-port", round_doorbell_port, 0, true, 0},
    {"doorbell-port-exact", round_doorbell_port_exact, 0, true, 0},
    {"doorbell-mmio", round_doorbell_mmio, 0, true, 0},
    {"doorbell-mmio-exact", round_doorbell_mmio_exact, 0, true, 0},
    {"coalesced-mmio", round_coalesced_mmio, prepare_coalesced, true, two_rings},
    {"coalesced-port", round_coalesced_port, prepare_coalesced, true, two_rings},
    {"cr0", round_cr0, 0, false, 0},
    {"cr4", round_cr4, 0, false, 0},
    {"cr8", round_cr8, 0, false, 0},
    {"dr7", round_dr7, 0, false, 0},
    {"cr3", round_cr3, prepare_cr3, false, 0},
    {"cr3-pcid", round_cr3, prepare_cr3_pcid, false, 0},
    {"invlpg", round_invlpg, 0, false, 0},
    {"irqfd-wake", round_irqfd, prepare_irqfd, true, 0},
    {"self-ipi", round_self_ipi, prepare_self_ipi, false, 0},
    {"ipi", round_ipi, prepare_ipi, true, 0},
    {"timer-arm", round_timer_arm, prepare_timer, false, 0},
    {"timer-wake", round_timer_wake, prepare_timer, false, 0},
    {"pause", round_pause, 0, false, 0},
    {"ud", round_ud, prepare_ud, false, 0},
    {"pf", round_pf, prepare_pf, false, 0},
    {"db", round_db, prepare_db, false, 0},
    {"touch-4k", round_touch, prepare_touch_4k, false, 0},
    {"touch-2m", round_touch, prepare_touch_2m, true, 0},
    {"read-only", round_read_only, 0, true, 0},
    {"wbinvd", round_wbinvd, 0, false, 0},
    {"out-block", round_out_block, 0, true, 0},
    {"rep-out-block", round_rep_out_block, 0, true, 0},
    {"in-block", round_in_block, 0, true, 0},
    {"rep-in-block", round_rep_in_block, 0, true, 0},
    {"record-words", round_record_words, 0, true, 0},
    {"record-pointer", round_record_pointer, 0, true, 0},
    {"work-1", round_work_1, 0, true, 0},
    {"work-4", round_work_4, 0, true, 0},
    {"work-16", round_work_16, 0, true, 0},
    {"work-64", round_work_64, 0, true, 0},
    {"work-256", round_work_256, 0, true, 0},
};
enum { kind_count = sizeof kinds / sizeof kinds[0] };
_Static_assert(mark_first_kind + kind_count <= mark_prepare, "a mark each");

static void choose(bool* wanted, const struct option* word) {
  for (unsigned i = 0; i < kind_count; ++i) {
    if (!option_is(word, kinds[i].name)) continue;
    wanted[i] = true;
    return;
  }
  guest_fail("kinds=: there is a name that no kind has (guests/prices.c)");
}

static void choose_kinds(bool* wanted) {
  const struct option* list = option_find(this_guest, "kinds");
  for (unsigned i = 0; !list && i < kind_count; ++i) wanted[i] = !kinds[i].on_demand;
  struct option word;
  unsigned at = 0;
  while (option_next_word(list, &at, &word)) choose(wanted, &word);
}

static uint64_t exits_so_far(void) {
  if (!counted) return 0;
  const struct kvmbench_answer all = kvmbench_ask(&interface, KVMBENCH_LEAF_ALL, 0);
  return kvmbench_u64(all.edx, all.eax);
}

static void measure(const struct kind* kind, uint64_t rounds, uint64_t budget, struct latencies* to) {
  const uint64_t begin = read_tsc();
  uint64_t after = begin;
  while (to->count < rounds && (after - begin < budget || to->count < kind->least)) {
    const uint64_t before = read_tsc();
    const uint64_t idle = kind->round();
    after = read_tsc();
    latency_add(to, after - before < idle ? 0 : after - before - idle);
  }
  to->elapsed = after - begin;
}

static struct measured {
  bool wanted;
  const char* unavailable;
  struct latencies latencies;
  uint64_t exits;
} measured[kind_count];

static void run(unsigned number, uint64_t budget) {
  struct measured* to = &measured[number];
  const struct kind* kind = &kinds[number];
  phase_mark(mark_prepare);
  to->latencies.cycles = memory_take(wanted_rounds * sizeof *to->latencies.cycles, 64);
  to->unavailable = kind->prepare ? kind->prepare() : 0;
  if (to->unavailable) return;
  const bool touches = kind->round == round_touch;
  phase_mark((uint8_t)(mark_first_kind + number));
  const uint64_t before = exits_so_far();
  measure(kind, touches ? pages_left : wanted_rounds, budget, &to->latencies);
  to->exits = exits_so_far() - before;
}

static void tell(unsigned number) {
  struct measured* one = &measured[number];
  if (one->unavailable) {
    result_unavailable(kinds[number].name, one->unavailable);
    return;
  }
  result_begin(kinds[number].name);
  result_number("mark", mark_first_kind + number);
  result_latencies(&one->latencies);
  if (counted) result_number("exits", one->exits);
  result_end();
}

int guest_main(const struct guest* guest) {
  static bool wanted[kind_count];
  this_guest = guest;
  choose_kinds(wanted);
  wanted_rounds = option_number(guest, "n", 20000, 1, 1u << 20);
  const uint64_t budget = clock_cycles_from_us(option_number(guest, "us", 50000, 1, 3600000000));
  memory_initialize(guest);
  counted = kvmbench_discover(&interface);
  for (unsigned i = 0; i < kind_count; ++i)
    if (wanted[i]) run(i, budget);
  phase_mark(mark_results);
  for (unsigned i = 0; i < kind_count; ++i)
    if (wanted[i]) tell(i);
  return status_ok;
}
