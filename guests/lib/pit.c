// Intel 8254 data sheet (order number 231164): control word formats.
#include "lib/pit.h"

#include "lib/clock.h"
#include "lib/cpu.h"

enum { port_channel_0 = 0x40, port_control = 0x43 };
enum {
  control_latch_0 = 0x00,
  control_rate_generator_0 = 0x34,  // low byte, then high byte; mode 2
  control_terminal_count_0 = 0x30,  // low byte, then high byte; mode 0
};

static const uint64_t frequency = 1193182;  // Hz
static uint16_t divisor;

for_interrupts static inline void write_port(uint16_t port, uint8_t value) {
  asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

void pit_start(uint64_t hz) {
  divisor = (uint16_t)(frequency / hz);
  write_port(port_control, control_rate_generator_0);
  write_port(port_channel_0, (uint8_t)divisor);
  write_port(port_channel_0, (uint8_t)(divisor >> 8));
}

// Mode 0 waits for a count, which never comes.
void pit_stop(void) {
  write_port(port_control, control_terminal_count_0);
}

uint16_t pit_count(void) {
  write_port(port_control, control_latch_0);
  const uint8_t low = in8(port_channel_0);
  return (uint16_t)(low | in8(port_channel_0) << 8);
}

uint64_t pit_cycles_since(uint16_t count) {
  const uint64_t ticks = count > divisor ? 0u : (uint64_t)(divisor - count);
  return ticks * clock_tsc_khz() * 1000 / frequency;
}
