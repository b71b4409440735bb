/* The way into ring 3 and back; lib/user_mode.c. */

#include "lib/interrupts.h"
#include "lib/start.h"

        .text
        .code64
/* void user_mode_switch(void (*function)(void*), void* argument) */
        .global user_mode_switch
user_mode_switch:
        push    %rbx
        push    %rbp
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        movq    %rsp, kernel_stack(%rip)
        subq    $64, %rsp               /* the return frame, above which ring 3's stack begins */
        andq    $-16, %rsp
        movq    %rsp, %rax
        pushq   $USER_DATA_SELECTOR
        push    %rax
        pushfq
        pushq   $USER_CODE_SELECTOR
        leaq    in_user_mode(%rip), %rax
        push    %rax
        iretq
in_user_mode:
        movq    %rdi, %rax
        movq    %rsi, %rdi
        call    *%rax
        .global user_mode_end
user_mode_end:
        ud2

/* The handler of #UD. What is executed elsewhere and is no instruction goes the way of other exceptions. */
        .global user_mode_return
user_mode_return:
        leaq    user_mode_end(%rip), %rax
        cmpq    %rax, (%rsp)
        jne     exception_stubs + 6 * EXCEPTION_STUB_SIZE
        movq    kernel_stack(%rip), %rsp
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbp
        pop     %rbx
        ret

        .bss
        .balign 8
kernel_stack:
        .skip   8

        .section .note.GNU-stack, "", @progbits
