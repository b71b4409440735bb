/* From the PVH entry point to runtime_start() in long mode.
 *
 * Xen, docs/misc/pvh.pandoc: entered in 32-bit protected mode, paging and interrupts off, flat segments, EBX the
 * physical address of hvm_start_info, no stack. */

#include "lib/start.h"

        .section .note.Xen, "a", @note
        .balign 4
        .long   4, 8, 18                /* name size, descriptor size, XEN_ELFNOTE_PHYS32_ENTRY */
        .asciz  "Xen"
        .quad   pvh_start

        .section .text.start, "ax"
        .code32
        .global pvh_start
pvh_start:
        cld
        lgdt    gdt_descriptor
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
        ljmp    $CODE_SELECTOR, $start64

        .code64
start64:
        movl    $DATA_SELECTOR, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    $boot_cpu_area + CPU_AREA_SIZE, %esp
        movl    %ebx, %edi
        call    runtime_start           /* does not return */

        .data                           /* the task's descriptor becomes busy */
        .balign 8
        .global gdt
gdt:
        .quad   0
        .quad   0x00af9b000000ffff      /* CODE_SELECTOR: 64-bit, ring 0, accessed */
        .quad   0x00cf93000000ffff      /* DATA_SELECTOR: flat, ring 0, accessed */
        .quad   0x00cff3000000ffff      /* USER_DATA_SELECTOR: flat, ring 3, accessed */
        .quad   0x00affb000000ffff      /* USER_CODE_SELECTOR: 64-bit, ring 3, accessed */
        .quad   0, 0                    /* TASK_SELECTOR: written by lib/user_mode.c */
gdt_end:
gdt_descriptor:
        .word   gdt_end - gdt - 1
        .long   gdt

/* The identity map of the first 4 GiB in 2 MiB pages. It is laid out here and not at run time: 2048 entries would
 * cost milliseconds of start-up where KVM emulates every instruction. The top GiB, where the devices are, is
 * uncached. All of it is accessible in ring 3 too (lib/user_mode.h). */
#define PAGE_TABLE      0x007           /* present, writable, user */
#define LARGE_PAGE      0x087           /* present, writable, user, page size */
#define LARGE_PAGE_UC   0x09f           /* and PWT, PCD */

        .section .page_tables, "aw"
        .balign 4096
        .global page_map_level_4
page_map_level_4:
        .quad   page_directory_pointers + PAGE_TABLE
        .fill   511, 8, 0
page_directory_pointers:
        .quad   page_directories + PAGE_TABLE
        .quad   page_directories + 0x1000 + PAGE_TABLE
        .quad   page_directories + 0x2000 + PAGE_TABLE
        .quad   page_directories + 0x3000 + PAGE_TABLE
        .fill   508, 8, 0
        .global page_directories
page_directories:
        .set    address, 0
        .rept   3 * 512
        .quad   address + LARGE_PAGE
        .set    address, address + 0x200000
        .endr
        .rept   512
        .quad   address + LARGE_PAGE_UC
        .set    address, address + 0x200000
        .endr

        .section .bss
        .balign CPU_AREA_SIZE
        .global boot_cpu_area
boot_cpu_area:
        .skip   CPU_AREA_SIZE

        .section .note.GNU-stack, "", @progbits
