#include "lib/apic.h"

#include "lib/clock.h"
#include "lib/cpu.h"
#include "lib/interrupts.h"

// Offsets in the xAPIC's page; register r of the x2APIC is MSR 0x800 + r / 16.
enum {
  register_id = 0x020,
  register_version = 0x030,
  register_eoi = 0x0b0,
  register_spurious = 0x0f0,
  register_icr_low = 0x300,
  register_icr_high = 0x310,
  register_lvt_timer = 0x320,
  register_lvt_lint0 = 0x350,
  register_initial_count = 0x380,
  register_current_count = 0x390,
  register_divide = 0x3e0,
};

enum {
  icr_fixed = 0x4000,    // assert
  icr_init = 0x4500,     // assert
  icr_startup = 0x4600,  // assert
  icr_delivery_pending = 0x1000,
  lvt_masked = 0x10000,
  lvt_periodic = 0x20000,
  lvt_tsc_deadline = 0x40000,
  spurious_software_enable = 0x100,
  divide_by_16 = 3,
  divide_by_1 = 11,
};

static const uint64_t xapic_base = 0xfee00000;
static const uint64_t base_enable = 1u << 11, base_x2apic = 1u << 10;
static const uint32_t msr_apic_base = 0x1b, msr_tsc_deadline = 0x6e0;

static bool x2apic;
static bool tsc_deadline;
static uint64_t timer_ticks_per_ms;  // of the one-shot timer

// Inlined, so that what handlers call calls nothing.
__attribute__((always_inline)) static inline uint32_t apic_read(uint32_t offset) {
  return x2apic ? (uint32_t)read_msr(0x800 + offset / 16) : mmio_read32(xapic_base + offset);
}

__attribute__((always_inline)) static inline void apic_write(uint32_t offset, uint32_t value) {
  if (x2apic)
    write_msr(0x800 + offset / 16, value);
  else
    mmio_write32(xapic_base + offset, value);
}

// KVM without its own APIC still shows a CPUID bit and an enabled base, so what counts is whether a register
// answers.
static bool find_apic(void) {
  if (!(cpuid(1).edx & 1u << 9)) return false;
  const uint64_t base = read_msr(msr_apic_base);
  if (base & base_x2apic) return true;
  if (!(base & base_enable)) return false;
  const uint32_t version = mmio_read32(xapic_base + register_version) & 0xff;
  return version >= 0x10 && version <= 0x1f;  // integrated: Intel SDM vol. 3, 11.4.8
}

bool apic_present(void) {
  static enum { unknown, absent, present } known;
  if (known == unknown) known = find_apic() ? present : absent;
  return known == present;
}

void apic_enable(void) {
  x2apic = cpuid(1).ecx & 1u << 21;
  write_msr(msr_apic_base, read_msr(msr_apic_base) | base_enable);
  if (x2apic) write_msr(msr_apic_base, read_msr(msr_apic_base) | base_x2apic);
  apic_write(register_spurious, spurious_software_enable | vector_spurious);
  apic_write(register_lvt_lint0, lvt_masked);
}

void apic_take_over(void) {
  if (apic_present()) apic_enable();
}

uint32_t apic_id(void) {
  return x2apic ? apic_read(register_id) : apic_read(register_id) >> 24;
}

void apic_end_of_interrupt(void) {
  apic_write(register_eoi, 0);
}

static void send(uint32_t to, uint32_t command) {
  if (x2apic) {
    write_msr(0x800 + register_icr_low / 16, (uint64_t)to << 32 | command);
    return;
  }
  while (apic_read(register_icr_low) & icr_delivery_pending) pause();
  apic_write(register_icr_high, to << 24);
  apic_write(register_icr_low, command);
}

void apic_send_ipi(uint32_t to, uint8_t vector) {
  send(to, icr_fixed | vector);
}
void apic_send_init(uint32_t to) {
  send(to, icr_init);
}
void apic_send_startup(uint32_t to, uint32_t address) {
  send(to, icr_startup | address >> 12);
}

__attribute__((interrupt)) static void timer_interrupt(struct interrupt_frame* frame) {
  (void)frame;
  apic_end_of_interrupt();
}

static void measure_timer(void) {
  apic_write(register_divide, divide_by_16);
  apic_write(register_lvt_timer, lvt_masked);
  apic_write(register_initial_count, ~0u);
  clock_delay_us(1000);
  timer_ticks_per_ms = ~0u - apic_read(register_current_count);
  apic_write(register_initial_count, 0);
}

void timer_initialize(void) {
  interrupts_set_handler(vector_timer, timer_interrupt);
  tsc_deadline = cpuid(1).ecx & 1u << 24;
  if (!tsc_deadline) measure_timer();
  apic_write(register_lvt_timer, (tsc_deadline ? lvt_tsc_deadline : 0u) | vector_timer);
  // The LVT must have its mode before the first deadline is written (Intel SDM vol. 3, 11.5.4.1): a read of
  // the uncached page comes after the write.
  apic_read(register_lvt_timer);
}

void timer_arm(uint64_t deadline) {
  if (tsc_deadline) {
    write_msr(msr_tsc_deadline, deadline);
    return;
  }
  const uint64_t now = read_tsc();
  const uint64_t longest_ms = ~0u / (timer_ticks_per_ms + 1);
  uint64_t cycles = deadline > now ? deadline - now : 0;
  if (cycles / clock_tsc_khz() >= longest_ms) cycles = longest_ms * clock_tsc_khz();
  apic_write(register_initial_count, (uint32_t)(cycles * timer_ticks_per_ms / clock_tsc_khz() + 1));
}

void timer_sleep_until(uint64_t deadline) {
  do {
    timer_arm(deadline);
    halt_until_interrupt();
  } while (read_tsc() < deadline);
}

void timer_arm_after_us(uint64_t us) {
  timer_arm(read_tsc() + clock_cycles_from_us(us));
}

void timer_disarm(void) {
  if (tsc_deadline)
    write_msr(msr_tsc_deadline, 0);
  else
    apic_write(register_initial_count, 0);
}

static uint32_t periodic_count;
static uint64_t periodic_ticks, periodic_cycles;  // so many ticks took so many cycles of the TSC

// Each reading of the count goes with one of the TSC, so that it does not matter how long the delay is.
static void measure_ticks(void) {
  apic_write(register_lvt_timer, lvt_masked);
  apic_write(register_initial_count, ~0u);
  const uint32_t first = apic_read(register_current_count);
  const uint64_t began = read_tsc();
  clock_delay_us(5000);
  periodic_ticks = first - apic_read(register_current_count);
  periodic_cycles = read_tsc() - began;
}

void timer_start_periodic(uint64_t hz) {
  apic_write(register_divide, divide_by_1);
  if (!periodic_ticks) measure_ticks();
  const uint64_t cycles = clock_tsc_khz() * 1000 / hz;
  periodic_count = (uint32_t)(cycles * periodic_ticks / periodic_cycles);
  apic_write(register_lvt_timer, lvt_periodic | vector_timer);
  apic_write(register_initial_count, periodic_count);
}

uint32_t timer_current_count(void) {
  return apic_read(register_current_count);
}

uint64_t timer_cycles_since(uint32_t current_count) {
  const uint64_t ticks = periodic_count - current_count;
  return current_count > periodic_count ? 0 : ticks * periodic_cycles / periodic_ticks;
}

void timer_stop(void) {
  apic_write(register_lvt_timer, lvt_masked);
  apic_write(register_initial_count, 0);
}
