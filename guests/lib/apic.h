/// This CPU's local APIC (Intel SDM vol. 3, chapter 11), in x2APIC mode where the CPU has it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/// Asks once. Where there is none, that is a read of the xAPIC's version register which nobody answers.
bool apic_present(void);

/// Enables it on this CPU, with LINT0 masked: so no interrupt of the PIC and, behind it, of the PIT arrives,
/// whatever state a firmware has left these in. Ports stay untouched.
void apic_enable(void);
/// The same where there is one: from then on interrupts can be enabled although nobody has set up the PIC, as
/// a driver that polls has them.
void apic_take_over(void);

uint32_t apic_id(void);

/// Saves every register that it changes, as an interrupt handler needs it.
__attribute__((no_caller_saved_registers)) void apic_end_of_interrupt(void);

void apic_send_ipi(uint32_t to, uint8_t vector);
void apic_send_init(uint32_t to);

/// The CPU starts in real mode at `address`, a page below 1 MiB.
void apic_send_startup(uint32_t to, uint32_t address);

/// The timer of this CPU, as TSC deadline where the CPU has it, or else as one-shot. timer_initialize()
/// installs a handler that does nothing but end the interrupt.
void timer_initialize(void);

/// One interrupt, once the TSC has reached `deadline`.
void timer_arm(uint64_t deadline);

/// An interrupt `hz` times a second, by the same timer in its periodic mode, until it is stopped. The handler
/// is whoever's vector_timer has.
void timer_start_periodic(uint64_t hz);
void timer_stop(void);
/// Current Count, for a handler; and how many cycles of the TSC before its reading the timer had expired.
__attribute__((no_caller_saved_registers)) uint32_t timer_current_count(void);
uint64_t timer_cycles_since(uint32_t current_count);

/// Halts, with interrupts enabled, until the TSC has reached `deadline`. That takes one HLT, if no other
/// interrupt comes and the time is less than a minute.
void timer_sleep_until(uint64_t deadline);

/// After timer_initialize(): its interrupt comes once, after this time, unless the timer is disarmed before.
void timer_arm_after_us(uint64_t us);
void timer_disarm(void);
