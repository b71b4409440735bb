/* Entry points of the 32 exceptions, EXCEPTION_STUB_SIZE bytes apart. Each leaves the vector above the error code
 * (0 where the CPU pushes none) and goes to exception(), which does not return. */

#include "lib/interrupts.h"

        .text
        .balign EXCEPTION_STUB_SIZE
        .global exception_stubs
exception_stubs:
        .set    vector, 0
        .rept   32
        .balign EXCEPTION_STUB_SIZE
        .if     !((EXCEPTIONS_WITH_ERROR_CODE >> vector) & 1)
        push    $0
        .endif
        push    $vector
        jmp     exception_entry
        .set    vector, vector + 1
        .endr

exception_entry:
        movq    %rsp, %rdi
        andq    $-16, %rsp
        call    exception

        .section .note.GNU-stack, "", @progbits
