/* The guest that shows what a virtual machine monitor needs before a guest runs: the first thing it does is to write
 * newlines to the first serial port (some more than one, so that it still runs while it is looked at), and then it
 * ends by the debug exit port with 0. Entered by PVH (docs/misc/pvh.pandoc of Xen): 32-bit protected mode, flat
 * segments, no stack. */

        .section .note.Xen, "a", @note
        .balign 4
        .long   4, 8, 18                /* name size, descriptor size, XEN_ELFNOTE_PHYS32_ENTRY */
        .asciz  "Xen"
        .quad   pvh_start

        .section .text.start, "ax"
        .code32
        .global pvh_start
pvh_start:
        movl    $0x3f8, %edx
        movl    $'\n', %eax
        movl    $1000, %ecx
1:      outb    %al, %dx
        decl    %ecx
        jnz     1b
        xorl    %eax, %eax
        outl    %eax, $0xf4
2:      hlt
        jmp     2b

        .section .note.GNU-stack, "", @progbits
