/*
 * kvmbench's exit-count interface, ABI 1: what a guest and the machine monitor agree on.
 *
 * docs/guest-interface.md is the specification; this header is the same in C99. It is freestanding, needs
 * nothing but <stdint.h>, and is used by both sides. All numbers are little-endian.
 */
#ifndef KVMBENCH_ABI_H
#define KVMBENCH_ABI_H

#include <stdint.h>

#define KVMBENCH_ABI_VERSION 1u

/* CPUID: what never changes while the guest runs. */

#define KVMBENCH_CPUID_SIGNATURE 0x4fffff00u /* EAX highest leaf; EBX, ECX, EDX the signature */
#define KVMBENCH_CPUID_INTERFACE 0x4fffff01u /* EAX ABI version, EBX port, ECX MSR, EDX features */
#define KVMBENCH_CPUID_PAGE 0x4fffff02u      /* EAX, EBX: GPA of vCPU 0's page; ECX its bytes; EDX TSC kHz */

#define KVMBENCH_SIGNATURE_EBX 0x626d766bu /* "kvmb" */
#define KVMBENCH_SIGNATURE_ECX 0x68636e65u /* "ench" */
#define KVMBENCH_SIGNATURE_EDX 0x74617473u /* "stat" */

#define KVMBENCH_FEATURE_PORT (1u << 0)         /* queries by port and by request block */
#define KVMBENCH_FEATURE_MSR (1u << 1)          /* queries by RDMSR */
#define KVMBENCH_FEATURE_PAGE (1u << 2)         /* one page of counts a vCPU */
#define KVMBENCH_FEATURE_HARDWARE (1u << 3)     /* hardware reasons are counted */
#define KVMBENCH_FEATURE_KERNEL_EXITS (1u << 4) /* "all exits" is KVM's own counter, else userspace exits */
#define KVMBENCH_FEATURE_VENDOR_SHIFT 8
#define KVMBENCH_FEATURE_VENDOR_MASK (3u << KVMBENCH_FEATURE_VENDOR_SHIFT)
#define KVMBENCH_VENDOR_VMX 1u
#define KVMBENCH_VENDOR_SVM 2u

/* Queries: a leaf and a reason give EAX, EBX, ECX, EDX. */

#define KVMBENCH_LEAF_ALL 0x4fffffffu    /* EAX count low, EDX count high, EBX cycles high, ECX cycles low */
#define KVMBENCH_LEAF_COUNT 0x4ffffffeu  /* EAX count low, EBX count high, ECX the reason, EDX 0 */
#define KVMBENCH_LEAF_CYCLES 0x4ffffffdu /* EBX cycles high, ECX cycles low, EAX count low, EDX 0 */
#define KVMBENCH_LEAF_SPREAD 0x4ffffffcu /* EAX min, EBX median, ECX 99th percentile, EDX max cycles */

/* A reason is the hardware's, by its number in the vendor's manual; KVM_EXIT_n is asked for as 0x10000 + n.
 */
#define KVMBENCH_USERSPACE_REASON 0x10000u
/* Reasons n from here on are not counted one by one. */
#define KVMBENCH_USERSPACE_REASONS 64u
/* 0x10000 + this counts all returns of KVM_RUN that are not among those. */
#define KVMBENCH_USERSPACE_FURTHER 0xffffu

/* Where EAX = EBX = ECX = 0, EDX says why there is no count. */
#define KVMBENCH_UNDEFINED 0xffffffffu   /* no such leaf, or no such reason in the vendor's manual */
#define KVMBENCH_NOT_COUNTED 0xfffffffeu /* a hardware reason, and nothing counts these */
/* In the first entry of a request block, with EAX = EBX = 0 and ECX the KVMBENCH_BLOCK_* status. */
#define KVMBENCH_REFUSED 0xfffffffdu

/* Ports: offsets from the first one. Every register is 32 bits wide and accessed whole. */

#define KVMBENCH_PORT_LEAF 0u   /* W: leaf of the queries to come; each vCPU has its own */
#define KVMBENCH_PORT_REASON 4u /* W: asks, and latches the answer */
#define KVMBENCH_PORT_ANSWER 8u /* R: EAX, EBX, ECX, EDX in turn, and again from EAX */
#define KVMBENCH_PORT_BLOCK 12u /* W: GPA of a request block, below 4 GiB; R: status of the last one */
#define KVMBENCH_PORT_MARK 16u  /* W: begins the phase of this number */
#define KVMBENCH_PORT_NAME 20u  /* W: four characters of a phase's name, the first one in bits 0 to 7 */
#define KVMBENCH_PORT_PAGE 24u  /* W: 1 to have this vCPU's page kept, 0 no more; R: which */
#define KVMBENCH_PORT_COUNT 32u /* ports in all; those not named are reserved */

/*
 * Where kvmbench puts them; a guest takes them from CPUID. Below 0x1000 no operating system places what it
 * finds on PCI, and above the chipset's own registers at 0xcf8 a PC has nothing.
 */
#define KVMBENCH_DEFAULT_PORT 0x0e00u

#define KVMBENCH_NAME_MAX 63u /* characters of a phase's name, without the 0 that ends it */

/*
 * The request block. In the entry that ends it, the host writes EAX = entries answered, EBX = ECX = EDX = 0;
 * a refused block is left alone but for its first entry (KVMBENCH_REFUSED).
 */

struct kvmbench_request {
  uint32_t leaf; /* 0 ends the block, by a whole entry */
  uint32_t reason;
  uint32_t eax; /* from here on written by the host */
  uint32_t ebx;
  uint32_t ecx;
  uint32_t edx;
};

#define KVMBENCH_BLOCK_MAX 1024u /* entries with a leaf, at most */

#define KVMBENCH_BLOCK_DONE 0u
#define KVMBENCH_BLOCK_MISALIGNED 1u /* the address is not a multiple of 4 */
#define KVMBENCH_BLOCK_NOT_RAM 2u    /* an entry before the end is not, or not wholly, in RAM */
#define KVMBENCH_BLOCK_ENDLESS 3u    /* more than KVMBENCH_BLOCK_MAX entries */

/* MSRs: offsets from the first one, read only. */

#define KVMBENCH_MSR_ALL 0u                     /* all exits */
#define KVMBENCH_MSR_ALL_CYCLES 1u              /* and their cycles */
#define KVMBENCH_MSR_HARDWARE 0x100u            /* + r: count of hardware reason r, below 0x100 */
#define KVMBENCH_MSR_HARDWARE_CYCLES 0x200u     /* + r: its cycles */
#define KVMBENCH_MSR_USERSPACE 0x300u           /* + n: count of KVM_EXIT_n, below 0x100 */
#define KVMBENCH_MSR_USERSPACE_CYCLES 0x400u    /* + n: its cycles */
#define KVMBENCH_MSR_HARDWARE_400 0x500u        /* + k: count of hardware reason 0x400 + k, for SVM */
#define KVMBENCH_MSR_HARDWARE_400_CYCLES 0x600u /* + k: its cycles */
#define KVMBENCH_MSR_COUNT 0x700u

/* Where kvmbench puts them: "KMB", beside the "KVM" of KVM's own at 0x4b564d00, where no CPU has any. */
#define KVMBENCH_DEFAULT_MSR 0x4b4d4200u

/* The shared page of a vCPU. */

#define KVMBENCH_PAGE_BYTES 4096u
#define KVMBENCH_PAGE_MAGIC 0x50626d6bu /* "kmbP" */
#define KVMBENCH_PAGE_ENTRIES 168u
#define KVMBENCH_PAGE_KEPT (1u << 0) /* flag: refreshed at each userspace exit of its vCPU */

struct kvmbench_page_entry {
  uint32_t reason; /* as in a query */
  uint32_t reserved;
  uint64_t count;
  uint64_t cycles;
};

struct kvmbench_page {
  uint32_t magic;
  uint32_t abi;
  uint32_t vcpu;
  uint32_t flags;
  uint32_t sequence; /* odd while the host writes; changes with every refresh */
  uint32_t entries;  /* of the table, how many are used */
  uint32_t missing;  /* reasons that have a count and found no room */
  uint32_t reserved0;
  uint64_t exits; /* as KVMBENCH_LEAF_ALL */
  uint64_t cycles;
  uint64_t reserved1[2];
  struct kvmbench_page_entry table[KVMBENCH_PAGE_ENTRIES];
};

#endif
