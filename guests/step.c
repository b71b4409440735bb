// @step: architectural correctness of this hypervisor under exits. With the trap flag set, the instruction
// after is one that exits; what is delivered, where and in which order, is held against the manuals.
//
//   case=NAME  only this one (all by default); where one kills the guest, the others are to run without it
//
// A line for each case. What was due and what came are lists of two decimal digits for each event. Which:
//   1  #DB with DR6.BS and no other condition   2  #DB with another DR6   3  the interrupt   4  the timer's
// Where, by the RIP on the stack:
//   0  the instruction   1  behind it   2  behind the NOP that follows it   9  anywhere else
// So 1112 is the usual: a #DB behind the instruction, and another behind the NOP. `right` is 1 where the data
// that the instruction moved are. The exit status is 0 whatever the findings.
#include "lib/apic.h"
#include "lib/clock.h"
#include "lib/cpu.h"
#include "lib/guest.h"
#include "lib/interrupts.h"
#include "lib/page_map.h"
#include "lib/pci.h"
#include "lib/print.h"
#include "lib/step_cases.h"

const char* const guest_option_keys[] = {"case", 0};

// What happened
// -----------------------------------------------------------------------------------------------------

enum { flag_tf = 1u << 8, flag_if = 1u << 9, flags_always = 2 };
enum { event_step = 1, event_debug = 2, event_ipi = 3, event_timer = 4 };
enum { place_elsewhere = 9, events_max = 9, vector_debug = 1 };

// DR6 (Intel SDM vol. 3, 18.2.3; AMD APM vol. 2, 13.1.1.3): B0 to B3, BD and BT are other conditions than BS.
static const uint64_t dr6_bs = 1u << 14, dr6_conditions = 0xe00f, dr6_clear = 0xffff0ff0;

static const struct step_labels* labels;
static volatile uint64_t came;
static volatile unsigned events;

for_interrupts static unsigned place_of(uint64_t rip) {
  if (rip == labels->target) return 0;
  if (rip == labels->after) return 1;
  return rip == labels->end ? 2 : place_elsewhere;
}

for_interrupts static void add_event(unsigned event, uint64_t rip) {
  if (++events <= events_max) came = came * 100 + event * 10 + place_of(rip);
}

// Stepping ends behind the NOP, or wherever else the guest is by then.
__attribute__((interrupt)) static void on_debug(struct interrupt_frame* frame) {
  uint64_t dr6;
  asm volatile("mov %%dr6, %0" : "=r"(dr6));
  asm volatile("mov %0, %%dr6" : : "r"(dr6_clear));
  const uint64_t rip = frame->rip;
  add_event((dr6 & dr6_conditions) == dr6_bs ? event_step : event_debug, rip);
  const bool inside = rip >= labels->code && rip < labels->end;
  if (!inside || events > events_max) *(volatile uint64_t*)&frame->rflags &= ~(uint64_t)flag_tf;
}

__attribute__((interrupt)) static void on_ipi(struct interrupt_frame* frame) {
  add_event(event_ipi, frame->rip);
  apic_end_of_interrupt();
}

__attribute__((interrupt)) static void on_timer(struct interrupt_frame* frame) {
  add_event(event_timer, frame->rip);
  apic_end_of_interrupt();
}

// Cases
// --------------------------------------------------------------------------------------------------------------

enum { needs_apic = 1, needs_x2apic = 2, needs_pci = 4 };
enum { usual = 1112, untrapped = 0 };
enum { pattern = 0x1234abcd };

// An address of PCI's configuration space, which the register at 0xcf8 gives back (PCI 3.0, 3.2.2.3.2).
enum { port_config_address = 0xcf8 };
static const uint32_t config_address = 0x80000058;

struct step_case {
  const char* name;
  const struct step_labels* labels;
  uint64_t due;
  void (*prepare)(struct step_registers* registers);
  bool (*right)(const struct step_registers* registers);  // null: it moves no data
  unsigned needs;
  bool pending;    // the interrupt waits for IF
  bool untrapped;  // without TF
};

// Four pages, of which the second and the fourth are RAM and the others nobody's; filled with 0x11.
static uint8_t ram[2][page_bytes] __attribute__((aligned(4096)));
static uint64_t mapped;
static uint8_t straddling[2 * page_bytes] __attribute__((aligned(4096)));
static uint32_t word;
static uint8_t bytes[3];

static void map_pages(void) {
  const uint64_t nobody = address_unclaimed_read;
  mapped = page_map(0, nobody, page_writable);
  page_map(1, (uint64_t)ram[0], page_writable);
  page_map(2, nobody, page_writable);
  page_map(3, (uint64_t)ram[1], page_writable);
  for (unsigned i = 0; i < page_bytes; ++i) ram[0][i] = ram[1][i] = 0x11;
}

static void nothing(struct step_registers* r) {
  (void)r;
}
static void port(struct step_registers* r) {
  r->rdx = port_unclaimed;
}
static bool read_byte(const struct step_registers* r) {
  return r->rax == 0xff;
}
static void leaf(struct step_registers* r) {
  r->rax = 0;
}
static bool vendor(const struct step_registers* r) {
  return r->rax != 0 && r->rcx != 0;
}
static void apic_base(struct step_registers* r) {
  r->rcx = 0x1b;
}
static bool has_apic_base(const struct step_registers* r) {
  return r->rax == (uint32_t)read_msr(0x1b);
}
static void bios_signature(struct step_registers* r) {
  r->rcx = 0x8b;
  r->rax = r->rdx = 0;
}
static void page_tables(struct step_registers* r) {
  asm volatile("mov %%cr3, %0" : "=r"(r->rax));
}
static void unclaimed(struct step_registers* r) {
  r->rsi = address_unclaimed_read;
  r->rdi = address_unclaimed_write;
  r->rax = pattern;
}
static bool read_ones(const struct step_registers* r) {
  return r->rax == 0xffffffff;
}
static void move_word(struct step_registers* r) {
  unclaimed(r);
  word = 0;
  r->rdi = (uint64_t)&word;
}
static bool moved_word(const struct step_registers* r) {
  return word == 0xffffffff && r->rsi == address_unclaimed_read + 4 && r->rdi == (uint64_t)(&word + 1);
}
static void three_bytes(struct step_registers* r) {
  bytes[0] = bytes[1] = bytes[2] = 0;
  r->rcx = sizeof bytes;
  r->rdx = port_unclaimed_string;
  r->rsi = r->rdi = (uint64_t)bytes;
}
static bool wrote_three(const struct step_registers* r) {
  return r->rcx == 0 && r->rsi == (uint64_t)(bytes + sizeof bytes);
}
static bool read_three(const struct step_registers* r) {
  return r->rcx == 0 && r->rdi == (uint64_t)(bytes + sizeof bytes) && bytes[0] == 0xff && bytes[1] == 0xff &&
         bytes[2] == 0xff;
}
static void store_three(struct step_registers* r) {
  r->rcx = 3;
  r->rdi = address_unclaimed_write;
}
static bool stored_three(const struct step_registers* r) {
  return r->rcx == 0 && r->rdi == address_unclaimed_write + 3;
}

// Across two pages of memory, two bytes in each.
static uint32_t* straddling_word(void) {
  return (uint32_t*)(straddling + page_bytes - 2);
}
static void out_straddling(struct step_registers* r) {
  __builtin_memcpy(straddling_word(), &config_address, sizeof config_address);
  out32(port_config_address, 0);
  r->rdx = port_config_address;
  r->rsi = (uint64_t)straddling_word();
}
static bool wrote_address(const struct step_registers* r) {
  (void)r;
  return in32(port_config_address) == config_address;
}
static void in_straddling(struct step_registers* r) {
  out32(port_config_address, config_address);
  r->rdx = port_config_address;
  r->rdi = (uint64_t)straddling_word();
}
static bool read_address(const struct step_registers* r) {
  (void)r;
  return __builtin_memcmp(straddling_word(), &config_address, sizeof config_address) == 0;
}

// Across two pages of which neither or one is memory.
static void device_straddling(struct step_registers* r) {
  r->rsi = r->rdi = address_unclaimed_read + page_bytes - 2;
  r->rax = pattern;
}
static void device_straddling8(struct step_registers* r) {
  r->rsi = r->rdi = address_unclaimed_read + page_bytes - 3;
  r->rax = pattern;
}
static bool read_ones8(const struct step_registers* r) {
  return r->rax == ~0ull;
}
static void across(struct step_registers* r, unsigned boundary) {
  map_pages();
  r->rsi = r->rdi = mapped + boundary * page_bytes - 2;
  r->rax = pattern;
}
static void device_then_memory(struct step_registers* r) {
  across(r, 1);
}
static void memory_then_device(struct step_registers* r) {
  across(r, 2);
}
static bool read_low_ones(const struct step_registers* r) {
  return r->rax == 0x1111ffff;
}
static bool read_high_ones(const struct step_registers* r) {
  return r->rax == 0xffff1111;
}
static bool wrote_high(const struct step_registers* r) {
  (void)r;
  return ram[0][0] == 0x34 && ram[0][1] == 0x12 && ram[0][2] == 0x11;
}
static bool wrote_low(const struct step_registers* r) {
  (void)r;
  return ram[0][page_bytes - 2] == 0xcd && ram[0][page_bytes - 1] == 0xab && ram[0][page_bytes - 3] == 0x11;
}

// An interrupt of its own making, which is there at the boundary behind the instruction.
static void self_ipi(struct step_registers* r) {
  r->rcx = 0x830;  // x2APIC ICR
  r->rax = vector_ipi;
  r->rdx = apic_id();
  r->rflags |= flag_if;
}
// Nothing but the #DB wakes the HLT before the timer does.
static void halt_with_timer(struct step_registers* r) {
  r->rflags |= flag_if;
}

#define STEP(name) &step_##name
static const struct step_case cases[] = {
    {"nop", STEP(nop), usual, nothing, 0, 0, false, false},
    {"out", STEP(out), usual, port, 0, 0, false, false},
    {"in", STEP(in), usual, port, read_byte, 0, false, false},
    {"mmio-read", STEP(load), usual, unclaimed, read_ones, 0, false, false},
    {"mmio-write", STEP(store), usual, unclaimed, 0, 0, false, false},
    {"mmio-add", STEP(add), usual, unclaimed, 0, 0, false, false},
    {"mmio-movs", STEP(movs), usual, move_word, moved_word, 0, false, false},
    {"cpuid", STEP(cpuid), usual, leaf, vendor, 0, false, false},
    {"mov-cr3", STEP(mov_cr3), usual, page_tables, 0, 0, false, false},
    {"invlpg", STEP(invlpg), usual, unclaimed, 0, 0, false, false},
    {"wbinvd", STEP(wbinvd), usual, nothing, 0, 0, false, false},
    {"rdmsr", STEP(rdmsr), usual, apic_base, has_apic_base, 0, false, false},
    {"wrmsr", STEP(wrmsr), usual, bios_signature, 0, 0, false, false},
    {"hlt", STEP(hlt), usual, halt_with_timer, 0, needs_apic, false, false},
    // A repeated string instruction traps after each iteration, at its own address but for the last.
    {"rep-outsb", STEP(rep_outsb), 10101112, three_bytes, wrote_three, 0, false, false},
    {"rep-insb", STEP(rep_insb), 10101112, three_bytes, read_three, 0, false, false},
    {"rep-stosb-mmio", STEP(rep_stosb), 10101112, store_three, stored_three, 0, false, false},
    // Traps come before interrupts.
    {"wrmsr-interrupt", STEP(wrmsr), 113112, self_ipi, 0, needs_apic | needs_x2apic, false, false},
    // STI's shadow holds back the interrupt but not the trap behind it, whose handler's IRET ends the shadow.
    {"sti-nop", STEP(sti_nop), 10301112, nothing, 0, needs_apic, true, false},
    {"sti-out", STEP(sti_out), 10301112, port, 0, needs_apic, true, false},
    {"sti-in", STEP(sti_in), 10301112, port, read_byte, needs_apic, true, false},
    {"sti-cpuid", STEP(sti_cpuid), 10301112, leaf, vendor, needs_apic, true, false},
    {"sti-hlt", STEP(sti_hlt), 10301112, nothing, 0, needs_apic, true, false},
    // That of a load of SS holds back the trap as well: there is none before the one behind the next
    // instruction.
    {"mov-ss-nop", STEP(ss_nop), usual, nothing, 0, 0, false, false},
    {"mov-ss-out", STEP(ss_out), usual, port, 0, 0, false, false},
    {"mov-ss-in", STEP(ss_in), usual, port, read_byte, 0, false, false},
    {"mov-ss-cpuid", STEP(ss_cpuid), usual, leaf, vendor, 0, false, false},
    {"mov-ss-mmio-read", STEP(ss_load), usual, unclaimed, read_ones, 0, false, false},
    {"mov-ss-mmio-write", STEP(ss_store), usual, unclaimed, 0, 0, false, false},
    // Where pages end.
    {"out-page-end", STEP(out_across), usual, nothing, 0, 0, false, false},
    {"outs-page-end", STEP(outsd), untrapped, out_straddling, wrote_address, needs_pci, false, true},
    {"ins-page-end", STEP(insd), untrapped, in_straddling, read_address, needs_pci, false, true},
    {"mmio-read-page-end", STEP(load), untrapped, device_straddling, read_ones, 0, false, true},
    {"mmio-write-page-end", STEP(store), untrapped, device_straddling, 0, 0, false, true},
    {"mmio-read8-page-end", STEP(load8), untrapped, device_straddling8, read_ones8, 0, false, true},
    {"mmio-write8-page-end", STEP(store8), untrapped, device_straddling8, 0, 0, false, true},
    {"read-mmio-then-ram", STEP(load), untrapped, device_then_memory, read_low_ones, 0, false, true},
    {"read-ram-then-mmio", STEP(load), untrapped, memory_then_device, read_high_ones, 0, false, true},
    {"write-mmio-then-ram", STEP(store), untrapped, device_then_memory, wrote_high, 0, false, true},
    {"write-ram-then-mmio", STEP(store), untrapped, memory_then_device, wrote_low, 0, false, true},
    {"step-read-page-end", STEP(load), usual, device_straddling, read_ones, 0, false, false},
    {"step-write-page-end", STEP(store), usual, device_straddling, 0, 0, false, false},
};
enum { case_count = sizeof cases / sizeof cases[0] };

// Running them
// -------------------------------------------------------------------------------------------------------

static unsigned present;

static void find_what_is_here(void) {
  if (apic_present()) {
    apic_enable();
    timer_initialize();
    interrupts_set_handler(vector_timer, on_timer);
    interrupts_set_handler(vector_ipi, on_ipi);
    clock_tsc_khz();
    present |= needs_apic;
    if (cpuid(1).ecx & 1u << 21) present |= needs_x2apic;
  }
  out32(port_config_address, config_address);
  if (in32(port_config_address) == config_address) present |= needs_pci;
}

static const char* lacking(const struct step_case* one) {
  if (one->needs & ~present & needs_apic) return "no local APIC";
  if (one->needs & ~present & needs_x2apic) return "no x2APIC";
  return one->needs & ~present ? "no PCI configuration space" : 0;
}

static void word_of(const char* key, uint64_t value) {
  print_text(key);
  print_number(value);
}

// One that has not come in the case comes here, and is elsewhere. A hypervisor that emulates the guest may
// look for interrupts only when the guest exits.
static void take_late_interrupt(void) {
  enable_interrupts();
  out8(port_unclaimed, 0);
  disable_interrupts();
}

static void run(const struct step_case* one) {
  if (lacking(one)) {
    print_text("unavailable arm=");
    print_text(one->name);
    print_text(" why=");
    print_line(lacking(one));
    return;
  }
  struct step_registers registers = {.rflags = flags_always | (one->untrapped ? 0 : flag_tf)};
  one->prepare(&registers);
  labels = one->labels;
  came = events = 0;
  if (one->pending) apic_send_ipi(apic_id(), vector_ipi);
  // A HLT that nothing else ends; far enough away not to come before.
  if (one->labels == STEP(hlt) || one->labels == STEP(sti_hlt)) timer_arm_after_us(50000);
  step_execute(one->labels, &registers);
  if (present & needs_apic) timer_disarm();
  if (one->needs & needs_apic) take_late_interrupt();
  const bool right = !one->right || one->right(&registers);
  print_text("result arm=");
  print_text(one->name);
  word_of(" due=", one->due);
  word_of(" came=", came);
  word_of(" right=", right);
  word_of(" pass=", right && came == one->due);
  print_line("");
}

int guest_main(const struct guest* guest) {
  const struct option* only = option_find(guest, "case");
  find_what_is_here();
  interrupts_set_handler(vector_debug, on_debug);
  bool known = !only;
  for (unsigned i = 0; i < case_count; ++i) {
    if (only && !option_is(only, cases[i].name)) continue;
    known = true;
    run(&cases[i]);
  }
  if (!known) option_fail("there is no such case: ", only);
  return status_ok;
}
