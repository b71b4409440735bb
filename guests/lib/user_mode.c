#include "lib/user_mode.h"

#include <stdbool.h>
#include <stdint.h>

#include "lib/cpu.h"
#include "lib/interrupts.h"
#include "lib/start.h"

// Intel SDM vol. 3, 7.7: the 64-bit task state segment. Of it, RSP0 is used: the stack of an exception in
// ring 3.
struct __attribute__((packed)) task_state {
  uint32_t reserved;
  uint64_t rsp0;
  uint32_t unused[22];
  uint16_t reserved2, io_map_base;
};
_Static_assert(sizeof(struct task_state) == 104, "7.7");

enum { vector_invalid_opcode = 6 };

extern uint64_t gdt[];
void user_mode_switch(void (*function)(void*), void* argument);
void user_mode_return(struct interrupt_frame* frame);

static void (*abandoned_for)(void);

// 7.2.3: an available 64-bit TSS.
static void describe(const struct task_state* task) {
  const uint64_t base = (uint64_t)task, present_available = 0x89;
  uint64_t* descriptor = &gdt[TASK_SELECTOR / 8];
  descriptor[0] =
      (sizeof *task - 1) | (base & 0xffffff) << 16 | present_available << 40 | (base >> 24 & 0xff) << 56;
  descriptor[1] = base >> 32;
}

static void initialize(void) {
  static char exception_stack[4096] __attribute__((aligned(16)));
  static struct task_state task;
  task.rsp0 = (uint64_t)(exception_stack + sizeof exception_stack);
  task.io_map_base = sizeof task;  // none: no port is free
  describe(&task);
  asm volatile("ltr %w0" : : "r"(TASK_SELECTOR) : "memory");
  // UD2 is the way back: what else enters ring 0, software interrupts among it, such a hypervisor may not
  // know.
  interrupts_set_handler(vector_invalid_opcode, user_mode_return);
}

static void call(void (*function)(void*), void* argument, bool interrupted) {
  static bool initialized;
  if (!initialized) initialize();
  initialized = true;
  if (interrupted) enable_interrupts();
  user_mode_switch(function, argument);  // with the flags that there are; its end clears IF
  if (abandoned_for) abandoned_for();
}

void user_mode_call(void (*function)(void*), void* argument) {
  call(function, argument, false);
}

void user_mode_call_interrupted(void (*function)(void*), void* argument) {
  call(function, argument, true);
}

static bool in_user_mode(void) {
  uint64_t selector;
  asm("mov %%cs, %0" : "=r"(selector));
  return selector & 3;
}

void user_mode_abandon(void (*end)(void)) {
  if (in_user_mode()) {
    abandoned_for = end;
    asm volatile("jmp user_mode_end" : : : "memory");
  }
  end();
  __builtin_unreachable();
}
