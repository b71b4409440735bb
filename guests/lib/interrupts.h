/// The interrupt descriptor table and the vectors in it.
#pragma once

/// Double fault, invalid TSS, segment not present, stack fault, general protection, page fault, alignment
/// check, control protection, VMM communication, security (AMD APM vol. 2, 8.2; Intel SDM vol. 3, table 6-1).
#define EXCEPTIONS_WITH_ERROR_CODE 0x60227d00
#define EXCEPTION_STUB_SIZE 16

#ifndef __ASSEMBLER__

#include <stdint.h>

enum { vector_timer = 0x40, vector_ipi = 0x41, vector_device = 0x42, vector_spurious = 0xff };

/// What the CPU pushes in long mode (Intel SDM vol. 3, 6.14.2).
struct interrupt_frame {
  uint64_t rip, cs, rflags, rsp, ss;
};

/// A handler is defined with __attribute__((interrupt)).
typedef void interrupt_handler(struct interrupt_frame* frame);

/// Fills the table with the exceptions, each of which prints itself and ends the guest, and loads it.
void interrupts_initialize(void);

/// Loads the table on another CPU.
void interrupts_load(void);

void interrupts_set_handler(uint8_t vector, interrupt_handler* handler);

/// Of an exception that pushes an error code.
typedef void exception_handler(struct interrupt_frame* frame, uint64_t error_code);
void interrupts_set_exception_handler(uint8_t vector, exception_handler* handler);

#endif
