/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * What the tracer's programs in the kernel write and kvmbench reads: the elements of three arrays that both
 * map.
 *
 * A thread, and whatever belongs to it, has one writer: the vCPU's own thread, in the kernel. Every count
 * only grows. Times are nanoseconds of CLOCK_MONOTONIC (bpf_ktime_get_ns).
 */
#pragma once

#ifdef __cplusplus
#include <cstdint>
using trace_u8 = std::uint8_t;
using trace_u16 = std::uint16_t;
using trace_u32 = std::uint32_t;
using trace_u64 = std::uint64_t;
#else
typedef unsigned char trace_u8;
typedef unsigned short trace_u16;
typedef unsigned int trace_u32;
typedef unsigned long long trace_u64;
#endif

enum {
  /* The buckets of stats/histogram.hpp. */
  TRACE_SUB_BITS = 4,
  TRACE_VALUE_BITS = 40,
  TRACE_BUCKETS = ((TRACE_VALUE_BITS - TRACE_SUB_BITS) << TRACE_SUB_BITS) + (1 << TRACE_SUB_BITS) + 1,

  /* Reasons with a place of their own in a thread: 0 to 0xff, and 0x400 to 0x40f after them. */
  TRACE_LOW_REASONS = 0x100,
  TRACE_HIGH_REASONS = 0x400,
  TRACE_PLACES = 0x110,
  /* All others (-1, a failed entry with its bit 31, bus locks): as many are told apart. */
  TRACE_OTHER_REASONS = 16,

  /* KVM_EXIT_n below; the last one is for all from there on. */
  TRACE_RETURN_REASONS = 64,
};

enum trace_detail_kind {
  TRACE_PORT = 1,
  TRACE_MMIO,
  TRACE_MSR,
  TRACE_CPUID,
  TRACE_PAGE_FAULT, /* the value is an address divided by the size of a range */
  TRACE_APIC,
  TRACE_HYPERCALL,
};
enum { TRACE_FAULT_RANGE_BITS = 21 }; /* ranges of 2 MiB */

enum trace_direction { TRACE_NONE, TRACE_READ, TRACE_WRITE };

struct trace_times {
  trace_u64 count, sum, min, max; /* min is 0 where count is */
  trace_u64 buckets[TRACE_BUCKETS];
};

/* One reason of one thread. */
struct trace_record {
  trace_u32 thread; /* index */
  trace_u32 reason;
  trace_u64 count;            /* kvm_exit: one more than out.count while none has followed by kvm_entry */
  trace_u64 returned;         /* after it, KVM_RUN returned */
  struct trace_times out;     /* kvm_exit to kvm_entry */
  struct trace_times outside; /* the part of it that began with a kvm_userspace_exit */
};

struct trace_detail_key {
  trace_u64 value;
  trace_u32 thread;
  trace_u8 kind, direction, width, unused;
};

struct trace_detail {
  struct trace_detail_key key;
  trace_u64 count;
  trace_u64 timed, sum; /* those of the exits whose last detail this was that an entry has followed */
};

struct trace_thread {
  trace_u32 tgid, tid;
  trace_u32 isa;            /* 0 until a kvm_exit has told: 1 VMX, 2 SVM */
  trace_u32 vcpu;           /* known with isa */
  trace_u64 exited;         /* when the guest was left; 0: it is inside, or no exit has been seen */
  trace_u64 left;           /* when KVM_RUN returned since; 0: it has not */
  trace_u32 record, detail; /* 1 + index, of the last exit; 0: none */

  trace_u64 exits;                         /* kvm_exit */
  trace_u64 entries;                       /* kvm_entry */
  trace_u64 emulated;                      /* kvm_emulate_insn */
  trace_u64 without_record;                /* exits for which there was no room */
  trace_u64 without_detail;                /* details likewise */
  trace_u64 returns[TRACE_RETURN_REASONS]; /* kvm_userspace_exit, by KVM_EXIT_n */

  /* 1 + index of the reason's record; 0: none. */
  trace_u32 other_reasons[TRACE_OTHER_REASONS];
  trace_u16 others[TRACE_OTHER_REASONS];
  trace_u16 places[TRACE_PLACES];
};

/* Where a field is in a tracepoint's record, by the tracepoint's `format` file; size 4 or 8. */
struct trace_field {
  trace_u32 offset, size;
};
