/* From the real mode that a start-up IPI leaves an application processor in to smp_application_processor() in long
 * mode. The part between trampoline and trampoline_end is copied to TRAMPOLINE_ADDRESS; CS is that address / 16. */

#include "lib/start.h"

        .section .rodata
        .code16
        .global trampoline, trampoline_end
trampoline:
        cli
        movw    %cs, %ax
        movw    %ax, %ds
        lgdtl   descriptor - trampoline
        movl    $page_map_level_4, %eax
        movl    %eax, %cr3
        movl    $CR4_PAE, %eax
        movl    %eax, %cr4
        movl    $MSR_EFER, %ecx
        movl    $EFER_LME, %eax
        xorl    %edx, %edx
        wrmsr
        movl    $(CR0_PG | CR0_NE | CR0_ET | CR0_PE), %eax
        movl    %eax, %cr0
        ljmpl   $CODE_SELECTOR, $application_processor64
descriptor:
        .word   3 * 8 - 1
        .long   gdt
trampoline_end:

        .text
        .code64
application_processor64:
        movl    $DATA_SELECTOR, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movq    trampoline_stack_top(%rip), %rsp
        call    smp_application_processor

        .section .note.GNU-stack, "", @progbits
