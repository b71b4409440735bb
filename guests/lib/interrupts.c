#include "lib/interrupts.h"

#include "lib/cpu.h"
#include "lib/guest.h"
#include "lib/print.h"
#include "lib/start.h"

// A 64-bit interrupt gate (Intel SDM vol. 3, 6.14.1).
struct gate {
  uint16_t offset_low, selector, attributes, offset_middle;
  uint32_t offset_high, reserved;
};
_Static_assert(sizeof(struct gate) == 16, "a gate is 16 bytes");

struct exception_frame {
  uint64_t vector, error_code;
  struct interrupt_frame cpu;
};

extern const char exception_stubs[];
__attribute__((noreturn)) void exception(const struct exception_frame* frame);

static struct gate idt[256];

static void set_gate(unsigned vector, uint64_t address) {
  const uint16_t present_interrupt_gate = 0x8e00;
  idt[vector].offset_low = (uint16_t)address;
  idt[vector].selector = CODE_SELECTOR;
  idt[vector].attributes = present_interrupt_gate;
  idt[vector].offset_middle = (uint16_t)(address >> 16);
  idt[vector].offset_high = (uint32_t)(address >> 32);
}

void interrupts_initialize(void) {
  for (unsigned vector = 0; vector < 32; ++vector)
    set_gate(vector, (uint64_t)exception_stubs + vector * EXCEPTION_STUB_SIZE);
  interrupts_load();
}

void interrupts_load(void) {
  load_idt(idt, sizeof idt - 1);
}

void interrupts_set_handler(uint8_t vector, interrupt_handler* handler) {
  set_gate(vector, (uint64_t)handler);
}

void interrupts_set_exception_handler(uint8_t vector, exception_handler* handler) {
  set_gate(vector, (uint64_t)handler);
}

void exception(const struct exception_frame* frame) {
  print_text("exception ");
  print_number(frame->vector);
  print_text(" at rip 0x");
  print_hex(frame->cpu.rip);
  print_text(", error code 0x");
  print_hex(frame->error_code);
  print_text(", cr2 0x");
  print_hex(read_cr2());
  print_line("");
  guest_exit(status_exception);
}
