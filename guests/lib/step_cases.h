/// Instructions that are executed with the trap flag set, each between labels of its own (lib/step_cases.S).
#pragma once

#include <stdint.h>

/// What an instruction is executed with, and what it leaves. The offsets are lib/step_cases.S's too.
struct step_registers {
  uint64_t rax, rcx, rdx, rsi, rdi;
  uint64_t rflags;  ///< in force from the first instruction behind the POPFQ on
};

/// Where a case can be interrupted: at the instruction, behind it, and behind the NOP that follows it.
struct step_labels {
  uint64_t code, target, after, end;
};

void step_execute(const struct step_labels* labels, struct step_registers* registers);

/// By the case's name with '_' for '-'.
#define STEP_CASE(name) extern const struct step_labels step_##name
STEP_CASE(nop);
STEP_CASE(out);
STEP_CASE(in);
STEP_CASE(cpuid);
STEP_CASE(rdmsr);
STEP_CASE(wrmsr);
STEP_CASE(mov_cr3);
STEP_CASE(invlpg);
STEP_CASE(wbinvd);
STEP_CASE(hlt);
STEP_CASE(load);
STEP_CASE(store);
STEP_CASE(load8);
STEP_CASE(store8);
STEP_CASE(add);
STEP_CASE(movs);
STEP_CASE(outsd);
STEP_CASE(insd);
STEP_CASE(rep_outsb);
STEP_CASE(rep_insb);
STEP_CASE(rep_stosb);
STEP_CASE(out_across);
STEP_CASE(sti_nop);
STEP_CASE(sti_out);
STEP_CASE(sti_in);
STEP_CASE(sti_cpuid);
STEP_CASE(sti_hlt);
STEP_CASE(ss_nop);
STEP_CASE(ss_out);
STEP_CASE(ss_in);
STEP_CASE(ss_cpuid);
STEP_CASE(ss_load);
STEP_CASE(ss_store);
#undef STEP_CASE
