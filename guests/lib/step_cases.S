/* The instructions of @step. Nothing lies between the POPFQ that sets the trap flag and what is to be trapped:
 * the instruction that sets TF is not trapped itself, the next one is (Intel SDM vol. 3, 18.3.1.4). */

#include "lib/start.h"

/* struct step_registers */
#define RAX     0
#define RCX     8
#define RDX     16
#define RSI     24
#define RDI     32
#define RFLAGS  40

        .text
        .code64
/* void step_execute(const struct step_labels* labels, struct step_registers* registers) */
        .global step_execute
step_execute:
        push    %rbx
        push    %rsi
        movl    $DATA_SELECTOR, %r10d
        movq    RFLAGS(%rsi), %r11
        movq    (%rdi), %r8
        movq    RAX(%rsi), %rax
        movq    RCX(%rsi), %rcx
        movq    RDX(%rsi), %rdx
        movq    RDI(%rsi), %rdi
        movq    RSI(%rsi), %rsi
        jmp     *%r8
step_leave:
        cli
        pop     %r8
        movq    %rax, RAX(%r8)
        movq    %rcx, RCX(%r8)
        movq    %rdx, RDX(%r8)
        movq    %rsi, RSI(%r8)
        movq    %rdi, RDI(%r8)
        pop     %rbx
        ret

        .macro  LABELS name
        .section .rodata
        .balign 8
        .global step_\name
step_\name:
        .quad   code_\name, target_\name, after_\name, end_\name
        .text
        .endm

/* `before` is what casts a shadow over the instruction, or nothing. */
        .macro  STEP name:req, instruction:req, before
        LABELS  \name
code_\name:
        push    %r11
        popfq
        \before
target_\name:
        \instruction
after_\name:
        nop
end_\name:
        nop
        jmp     step_leave
        .endm

        STEP    nop, "nop"
        STEP    out, "outb %al, %dx"
        STEP    in, "inb %dx, %al"
        STEP    cpuid, "cpuid"
        STEP    rdmsr, "rdmsr"
        STEP    wrmsr, "wrmsr"
        STEP    mov_cr3, "movq %rax, %cr3"
        STEP    invlpg, "invlpg (%rsi)"
        STEP    wbinvd, "wbinvd"
        STEP    hlt, "hlt"
        STEP    load, "movl (%rsi), %eax"
        STEP    store, "movl %eax, (%rdi)"
        STEP    load8, "movq (%rsi), %rax"
        STEP    store8, "movq %rax, (%rdi)"
        STEP    add, "addl %eax, (%rdi)"
        STEP    movs, "movsl"
        STEP    outsd, "outsl"
        STEP    insd, "insl"
        STEP    rep_outsb, "rep outsb"
        STEP    rep_insb, "rep insb"
        STEP    rep_stosb, "rep stosb"

        STEP    sti_nop, "nop", "sti"
        STEP    sti_out, "outb %al, %dx", "sti"
        STEP    sti_in, "inb %dx, %al", "sti"
        STEP    sti_cpuid, "cpuid", "sti"
        STEP    sti_hlt, "hlt", "sti"

        STEP    ss_nop, "nop", "movl %r10d, %ss"
        STEP    ss_out, "outb %al, %dx", "movl %r10d, %ss"
        STEP    ss_in, "inb %dx, %al", "movl %r10d, %ss"
        STEP    ss_cpuid, "cpuid", "movl %r10d, %ss"
        STEP    ss_load, "movl (%rsi), %eax", "movl %r10d, %ss"
        STEP    ss_store, "movl %eax, (%rdi)", "movl %r10d, %ss"

/* An OUT of two bytes, the first of which is the last of a page. */
        .balign 4096
        .skip   4096 - 4                /* PUSH of R11 takes two bytes, POPFQ one */
        STEP    out_across, "outb %al, $0xee"

        .section .note.GNU-stack, "", @progbits
