/*
 * The guest's side of kvmbench's exit-count interface, for C99 and C++, freestanding or not: nothing to link,
 * nothing but <stdint.h>. docs/guest-interface.md says what the numbers mean.
 *
 *   struct kvmbench_interface counts;
 *   if (kvmbench_discover(&counts)) {
 *     struct kvmbench_answer all = kvmbench_ask(&counts, KVMBENCH_LEAF_ALL, 0);
 *     exits = kvmbench_u64(all.edx, all.eax);
 *   }
 *
 * Ports need ring 0 or ioperm(), MSRs ring 0. A query's registers belong to the vCPU: do not let the caller
 * be moved to another one between its accesses.
 */
#ifndef KVMBENCH_GUEST_H
#define KVMBENCH_GUEST_H

#include "kvmbench_abi.h"

struct kvmbench_answer {
  uint32_t eax, ebx, ecx, edx;
};

/* What CPUID says of the interface. */
struct kvmbench_interface {
  uint64_t first_page; /* GPA of vCPU 0's page; vCPU n's is n * page_bytes further on */
  uint32_t first_msr;
  uint32_t features; /* KVMBENCH_FEATURE_* */
  uint32_t page_bytes;
  uint32_t tsc_khz;
  uint16_t first_port;
};

static inline uint64_t kvmbench_u64(uint32_t high, uint32_t low) {
  return (uint64_t)high << 32 | low;
}

static inline struct kvmbench_answer kvmbench_cpuid(uint32_t leaf) {
  struct kvmbench_answer answer;
  __asm__ volatile("cpuid"
                   : "=a"(answer.eax), "=b"(answer.ebx), "=c"(answer.ecx), "=d"(answer.edx)
                   : "a"(leaf), "c"(0));
  return answer;
}

static inline void kvmbench_out(uint16_t port, uint32_t value) {
  __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint32_t kvmbench_in(uint16_t port) {
  uint32_t value;
  __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
  return value;
}

/* 1 and fills in `found`, or 0 where there is no interface of ABI 1. `features` tells what it offers. */
static inline int kvmbench_discover(struct kvmbench_interface* found) {
  const struct kvmbench_answer signature = kvmbench_cpuid(KVMBENCH_CPUID_SIGNATURE);
  struct kvmbench_answer interface, page;
  if (signature.ebx != KVMBENCH_SIGNATURE_EBX || signature.ecx != KVMBENCH_SIGNATURE_ECX ||
      signature.edx != KVMBENCH_SIGNATURE_EDX || signature.eax < KVMBENCH_CPUID_PAGE) {
    return 0;
  }
  interface = kvmbench_cpuid(KVMBENCH_CPUID_INTERFACE);
  page = kvmbench_cpuid(KVMBENCH_CPUID_PAGE);
  if (interface.eax != KVMBENCH_ABI_VERSION) return 0;
  found->first_port = (uint16_t)interface.ebx;
  found->first_msr = interface.ecx;
  found->features = interface.edx;
  found->first_page = kvmbench_u64(page.ebx, page.eax);
  found->page_bytes = page.ecx;
  found->tsc_khz = page.edx;
  return 1;
}

static inline uint32_t kvmbench_vendor(const struct kvmbench_interface* counts) {
  return (counts->features & KVMBENCH_FEATURE_VENDOR_MASK) >> KVMBENCH_FEATURE_VENDOR_SHIFT;
}

static inline uint16_t kvmbench_port(const struct kvmbench_interface* counts, uint32_t offset) {
  return (uint16_t)(counts->first_port + offset);
}

/* By port: the leaf, once for all questions to come (1 exit), */
static inline void kvmbench_set_leaf(const struct kvmbench_interface* counts, uint32_t leaf) {
  kvmbench_out(kvmbench_port(counts, KVMBENCH_PORT_LEAF), leaf);
}

/* a question to it (2 exits), */
static inline struct kvmbench_answer kvmbench_ask_leaf(const struct kvmbench_interface* counts,
                                                       uint32_t reason) {
  /* Across a page's end KVM would take two exits; and if the page could not be written to yet, a page fault
   * would follow the exit, and the instruction begin anew. */
  uint32_t words[4] __attribute__((aligned(16))) = {0, 0, 0, 0};
  uint32_t* to = words;
  unsigned long count = 4;
  struct kvmbench_answer answer;
  kvmbench_out(kvmbench_port(counts, KVMBENCH_PORT_REASON), reason);
  __asm__ volatile("rep insl"
                   : "+D"(to), "+c"(count)
                   : "d"(kvmbench_port(counts, KVMBENCH_PORT_ANSWER))
                   : "memory");
  answer.eax = words[0];
  answer.ebx = words[1];
  answer.ecx = words[2];
  answer.edx = words[3];
  return answer;
}

/* or both (3 exits). */
static inline struct kvmbench_answer kvmbench_ask(const struct kvmbench_interface* counts, uint32_t leaf,
                                                  uint32_t reason) {
  kvmbench_set_leaf(counts, leaf);
  return kvmbench_ask_leaf(counts, reason);
}

/*
 * By request block, at guest-physical address `address` below 4 GiB (1 exit). The outcome is in the block:
 * see kvmbench_block_status.
 */
static inline void kvmbench_ask_block(const struct kvmbench_interface* counts, uint32_t address) {
  kvmbench_out(kvmbench_port(counts, KVMBENCH_PORT_BLOCK), address);
}

/* KVMBENCH_BLOCK_* of an asked block that lies in RAM, from its first entry. */
static inline uint32_t kvmbench_block_status(const volatile struct kvmbench_request* block) {
  const int refused = block->eax == 0 && block->ebx == 0 && block->ecx != 0 && block->edx == KVMBENCH_REFUSED;
  return refused ? block->ecx : KVMBENCH_BLOCK_DONE;
}

/* By MSR (1 exit). Ring 0 alone; #GP without KVMBENCH_FEATURE_MSR, or where `index` names none. */
static inline uint64_t kvmbench_read_msr(const struct kvmbench_interface* counts, uint32_t index) {
  uint32_t low, high;
  __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(counts->first_msr + index) : "memory");
  return kvmbench_u64(high, low);
}

/* By page: asks the host to keep this vCPU's page, or no longer to (1 exit). */
static inline void kvmbench_keep_page(const struct kvmbench_interface* counts, int wanted) {
  kvmbench_out(kvmbench_port(counts, KVMBENCH_PORT_PAGE), wanted ? 1 : 0);
}

/* vCPU `vcpu`'s page, where guest-physical addresses are the caller's own. */
static inline const volatile struct kvmbench_page* kvmbench_page_of(const struct kvmbench_interface* counts,
                                                                    uint32_t vcpu) {
  return (const volatile struct kvmbench_page*)(uintptr_t)(counts->first_page +
                                                           (uint64_t)vcpu * counts->page_bytes);
}

/*
 * Reading without an exit: read what is wanted between begin and end, and again if end gives 0.
 *
 *   do {
 *     sequence = kvmbench_page_begin(page);
 *     exits = page->exits;
 *   } while (!kvmbench_page_end(page, sequence));
 */
static inline uint32_t kvmbench_page_begin(const volatile struct kvmbench_page* page) {
  uint32_t sequence;
  while ((sequence = page->sequence) & 1) __asm__ volatile("pause");
  __asm__ volatile("" : : : "memory"); /* an x86 CPU keeps the order of loads, the compiler must too */
  return sequence;
}

static inline int kvmbench_page_end(const volatile struct kvmbench_page* page, uint32_t sequence) {
  __asm__ volatile("" : : : "memory");
  return page->sequence == sequence;
}

/* A reason's count and cycles from the page, 0 where it has none: as KVMBENCH_LEAF_COUNT and _CYCLES give
 * them. */
static inline void kvmbench_page_read(const volatile struct kvmbench_page* page, uint32_t reason,
                                      uint64_t* count, uint64_t* cycles) {
  uint32_t sequence, entries, i;
  do {
    sequence = kvmbench_page_begin(page);
    *count = 0;
    *cycles = 0;
    entries = page->entries <= KVMBENCH_PAGE_ENTRIES ? page->entries : KVMBENCH_PAGE_ENTRIES;
    for (i = 0; i < entries; ++i) {
      if (page->table[i].reason != reason) continue;
      *count = page->table[i].count;
      *cycles = page->table[i].cycles;
      break;
    }
  } while (!kvmbench_page_end(page, sequence));
}

/* Begins a phase of the host's report, by number (1 exit) */
static inline void kvmbench_mark(const struct kvmbench_interface* counts, uint32_t number) {
  kvmbench_out(kvmbench_port(counts, KVMBENCH_PORT_MARK), number);
}

/* or by name, at most KVMBENCH_NAME_MAX printable ASCII characters (an exit for four of them). */
static inline void kvmbench_name_phase(const struct kvmbench_interface* counts, const char* name) {
  const uint16_t port = kvmbench_port(counts, KVMBENCH_PORT_NAME);
  uint32_t word, shift;
  int ended = 0;
  kvmbench_out(port, 0); /* forgets a name that another program began here and left unfinished */
  while (!ended) {
    word = 0;
    for (shift = 0; shift < 32 && !ended; shift += 8) {
      word |= (uint32_t)(unsigned char)*name << shift;
      ended = *name == '\0';
      if (!ended) ++name;
    }
    kvmbench_out(port, word);
  }
}

#endif
