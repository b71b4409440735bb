/// Constants that the assembly files share with each other and with C.
#pragma once

#define CODE_SELECTOR 0x08
#define DATA_SELECTOR 0x10
#define USER_DATA_SELECTOR 0x1b  // with the requested privilege level
#define USER_CODE_SELECTOR 0x23
#define TASK_SELECTOR 0x28

#define CR0_PE 0x00000001
#define CR0_ET 0x00000010
#define CR0_NE 0x00000020
#define CR0_PG 0x80000000
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100

/// A CPU's stack with what is the CPU's own at its bottom; aligned to its size.
#define CPU_AREA_SIZE 4096

/// Where an application processor starts, in real mode: a page below 1 MiB that no boot protocol leaves data
/// in.
#define TRAMPOLINE_ADDRESS 0x8000
