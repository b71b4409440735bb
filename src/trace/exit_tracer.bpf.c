/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * Counts and times the exits of virtual machines where KVM announces them.
 *
 * Attached to the kernel's kvm events. Those that come with most exits are attached raw, which is cheaper, as
 * far as the first arguments of their tracepoints have been the same since they were introduced
 * (arch/x86/kvm/trace.h and include/trace/events/kvm.h, TP_PROTO). The others are classic tracepoints, whose
 * records are read at the offsets that their `format` files give. No kernel headers and no BTF are needed,
 * and one binary runs on every kernel that has the fields.
 *
 * Nothing is sent: everything is added up here, in arrays that kvmbench maps, so that the memory does not
 * depend on the number of exits.
 */
/* bpf_helpers.h needs the types of linux/bpf.h before it. */
/* clang-format off */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
/* clang-format on */
#include <stdbool.h>

#include "exit_records.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

typedef trace_u8 u8;
typedef trace_u16 u16;
typedef trace_u32 u32;
typedef trace_u64 u64;

/* Set before loading. */
const volatile trace_u8 every_process = 0; /* else those in `processes` */
const volatile trace_u64 namespace_dev = 0,
                         namespace_ino = 0; /* whose process numbers are meant; 0: the first one's */
const volatile struct trace_field exit_reason, exit_isa, exit_vcpu;
const volatile struct trace_field cpuid_function;
const volatile struct trace_field fault_address;
const volatile struct trace_field apic_rw, apic_reg;
const volatile struct trace_field hypercall_nr;
const volatile trace_u32 max_threads = 1, max_records = 1, max_details = 1; /* as the maps have */

/* How much of the arrays is in use, and what there was no room for. */
trace_u32 threads_used, records_used, details_used;
trace_u64 events_without_thread;

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 256);
  __type(key, u32);
  __type(value, u8);
} processes SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, u32); /* thread id */
  __type(value, u32);
} thread_index SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, struct trace_detail_key);
  __type(value, u32);
} detail_index SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, u32);
  __type(value, struct trace_thread);
} threads SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, u32);
  __type(value, struct trace_record);
} records SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, u32);
  __type(value, struct trace_detail);
} details SEC(".maps");

/* --- helpers */

/* Makes the verifier see that an index is in range, whatever the compiler has proved and left out. */
#define BOUND(index, count) \
  asm volatile("if %[i] < %[n] goto in_range_%=; %[i] = 0; in_range_%=:" : [i] "+r"(index) : [n] "i"(count))

static __always_inline u64 field(const void* event, u32 offset, u32 size) {
  u64 value = 0; /* little-endian: a field of 4 bytes fills the low half */
  bpf_probe_read_kernel(&value, size == 8 ? 8 : 4, event + offset);
  return value;
}
#define FIELD(event, name) field(event, name.offset, name.size)

static __always_inline u64 current_ids(void) {
  if (namespace_ino == 0) return bpf_get_current_pid_tgid();
  struct bpf_pidns_info ids = {};
  if (bpf_get_ns_current_pid_tgid(namespace_dev, namespace_ino, &ids, sizeof(ids)) != 0) return 0;
  return (u64)ids.tgid << 32 | ids.pid;
}

/* The next element of an array of `limit` of which `used` are taken; `limit` where all are. */
static __always_inline u32 take(u32* used, u32 limit) {
  if (*used >= limit) return limit;
  return __sync_fetch_and_add(used, 1);
}

static __noinline u32 adopt_thread(u64 ids) {
  u32 tid = ids;
  u32 tgid = ids >> 32;
  if (ids == 0 || (!every_process && !bpf_map_lookup_elem(&processes, &tgid))) return ~0u;
  u32 index = take(&threads_used, max_threads);
  struct trace_thread* thread = bpf_map_lookup_elem(&threads, &index);
  if (!thread) {
    __sync_fetch_and_add(&events_without_thread, 1);
    return ~0u;
  }
  thread->tgid = tgid;
  thread->tid = tid;
  bpf_map_update_elem(&thread_index, &tid, &index, BPF_ANY); /* another's number that has come again */
  return index;
}

struct current {
  u32 index;
  struct trace_thread* thread; /* NULL: not one that is traced */
};

static __always_inline struct current current_thread(bool adopt) {
  u64 ids = current_ids();
  u32 tid = ids;
  u32* known = bpf_map_lookup_elem(&thread_index, &tid);
  struct current current = {0, NULL};
  if (known) {
    current.index = *known;
    current.thread = bpf_map_lookup_elem(&threads, &current.index);
    if (current.thread && current.thread->tgid == (u32)(ids >> 32)) return current;
  }
  current.thread = NULL;
  if (!adopt) return current;
  current.index = adopt_thread(ids);
  current.thread = bpf_map_lookup_elem(&threads, &current.index);
  return current;
}

/* Intel SDM and AMD APM number most reasons below 0x100, the APM some from 0x400 on. */
static __always_inline u16* place_of(struct trace_thread* thread, u32 reason) {
  u64 place = TRACE_PLACES;
  if (reason < TRACE_LOW_REASONS)
    place = reason;
  else if (reason >= TRACE_HIGH_REASONS && reason < TRACE_HIGH_REASONS + TRACE_PLACES - TRACE_LOW_REASONS)
    place = reason - TRACE_HIGH_REASONS + TRACE_LOW_REASONS;
  if (place < TRACE_PLACES) {
    BOUND(place, TRACE_PLACES);
    return &thread->places[place];
  }
  for (u64 i = 0; i < TRACE_OTHER_REASONS; ++i) {
    if (thread->others[i] == 0) thread->other_reasons[i] = reason;
    if (thread->other_reasons[i] == reason) return &thread->others[i];
  }
  return NULL;
}

/* 1 + index of the record; 0 where there is no room. */
static __always_inline u32 record_of(u32 thread, struct trace_thread* of, u32 reason) {
  u16* place = place_of(of, reason);
  if (!place) return 0;
  if (*place != 0) return *place;
  u32 index = take(&records_used, max_records);
  struct trace_record* record = bpf_map_lookup_elem(&records, &index);
  if (!record) return 0;
  record->thread = thread;
  record->reason = reason;
  *place = index + 1;
  return index + 1;
}

static __always_inline u64 bucket_of(u64 value) {
  const u64 last = 1ull << TRACE_VALUE_BITS;
  if (value > last) value = last;
  u64 left = value | 1 << TRACE_SUB_BITS;
  u64 highest = 0; /* its highest bit */
  if (left >> 32) highest += 32, left >>= 32;
  if (left >> 16) highest += 16, left >>= 16;
  if (left >> 8) highest += 8, left >>= 8;
  if (left >> 4) highest += 4, left >>= 4;
  if (left >> 2) highest += 2, left >>= 2;
  highest += left >> 1;
  const u64 shift = highest - TRACE_SUB_BITS;
  return (shift << TRACE_SUB_BITS) + (value >> shift);
}

static __always_inline void add(struct trace_times* times, u64 value) {
  if (times->count == 0 || value < times->min) times->min = value;
  if (value > times->max) times->max = value;
  times->sum += value;
  u64 bucket = bucket_of(value);
  BOUND(bucket, TRACE_BUCKETS);
  times->buckets[bucket]++;
  times->count++;
}

/* --- the events that make an exit */

SEC("tp/kvm/kvm_exit")
int on_exit(void* event) {
  const u64 now = bpf_ktime_get_ns();
  struct current vcpu = current_thread(true);
  if (!vcpu.thread) return 0;
  struct trace_thread* thread = vcpu.thread;
  if (thread->isa == 0) {
    thread->isa = FIELD(event, exit_isa);
    thread->vcpu = FIELD(event, exit_vcpu);
  }
  thread->exited = now;
  thread->left = 0;
  thread->detail = 0;
  thread->record = record_of(vcpu.index, thread, FIELD(event, exit_reason));
  thread->exits++;
  u32 index = thread->record - 1;
  struct trace_record* record = bpf_map_lookup_elem(&records, &index);
  if (record)
    record->count++;
  else
    thread->without_record++;
  return 0;
}

/* reason, errno */
SEC("raw_tp/kvm_userspace_exit")
int on_return(struct bpf_raw_tracepoint_args* event) {
  const u64 now = bpf_ktime_get_ns();
  struct trace_thread* thread = current_thread(true).thread;
  if (!thread) return 0;
  u64 reason = event->args[0];
  if (reason >= TRACE_RETURN_REASONS) reason = TRACE_RETURN_REASONS - 1;
  BOUND(reason, TRACE_RETURN_REASONS);
  thread->returns[reason]++;
  if (thread->exited == 0 || thread->left != 0) return 0;
  thread->left = now;
  u32 index = thread->record - 1;
  struct trace_record* record = bpf_map_lookup_elem(&records, &index);
  if (record) record->returned++;
  return 0;
}

SEC("raw_tp/kvm_entry")
int on_entry(void* event) {
  (void)event;
  struct trace_thread* thread = current_thread(false).thread;
  if (!thread) return 0;
  thread->entries++;
  if (thread->exited == 0) return 0;
  const u64 now = bpf_ktime_get_ns();
  u32 index = thread->record - 1;
  struct trace_record* record = bpf_map_lookup_elem(&records, &index);
  if (record) {
    add(&record->out, now - thread->exited);
    if (thread->left != 0) add(&record->outside, now - thread->left);
  }
  if (thread->detail != 0) {
    index = thread->detail - 1;
    struct trace_detail* detail = bpf_map_lookup_elem(&details, &index);
    if (detail) {
      detail->timed++;
      detail->sum += now - thread->exited;
    }
  }
  thread->exited = 0;
  return 0;
}

/* --- what the exits were for */

static __always_inline int count_detail(enum trace_detail_kind kind, enum trace_direction direction,
                                        u64 width, u64 value) {
  struct current vcpu = current_thread(true);
  if (!vcpu.thread) return 0;
  struct trace_detail_key key = {
      .value = value, .thread = vcpu.index, .kind = kind, .direction = direction, .width = width};
  u32* known = bpf_map_lookup_elem(&detail_index, &key);
  u32 index = known ? *known : take(&details_used, max_details);
  struct trace_detail* detail = bpf_map_lookup_elem(&details, &index);
  if (!detail) {
    vcpu.thread->without_detail++;
    vcpu.thread->detail = 0;
    return 0;
  }
  if (!known) {
    detail->key = key;
    bpf_map_update_elem(&detail_index, &key, &index, BPF_NOEXIST);
  }
  detail->count++;
  vcpu.thread->detail = index + 1;
  return 0;
}

static __always_inline enum trace_direction direction_of(u64 written) {
  return written ? TRACE_WRITE : TRACE_READ;
}

/* rw, port, size, count */
SEC("raw_tp/kvm_pio")
int on_pio(struct bpf_raw_tracepoint_args* event) {
  return count_detail(TRACE_PORT, direction_of(event->args[0]), event->args[2], event->args[1]);
}

/* type, len, gpa */
SEC("raw_tp/kvm_mmio")
int on_mmio(struct bpf_raw_tracepoint_args* event) {
  /* 0 announces a read that userspace has to answer; once it has, there is another event for it, with 1. */
  const u64 type = event->args[0];
  if (type == 0) return 0;
  return count_detail(TRACE_MMIO, direction_of(type == 2), event->args[1], event->args[2]);
}

/* write, ecx */
SEC("raw_tp/kvm_msr")
int on_msr(struct bpf_raw_tracepoint_args* event) {
  return count_detail(TRACE_MSR, direction_of(event->args[0]), 0, event->args[1]);
}

SEC("tp/kvm/kvm_cpuid")
int on_cpuid(void* event) {
  return count_detail(TRACE_CPUID, TRACE_NONE, 0, FIELD(event, cpuid_function));
}

SEC("tp/kvm/kvm_page_fault")
int on_page_fault(void* event) {
  return count_detail(TRACE_PAGE_FAULT, TRACE_NONE, 0, FIELD(event, fault_address) >> TRACE_FAULT_RANGE_BITS);
}

SEC("tp/kvm/kvm_apic")
int on_apic(void* event) {
  return count_detail(TRACE_APIC, direction_of(FIELD(event, apic_rw)), 0, FIELD(event, apic_reg));
}

SEC("tp/kvm/kvm_hypercall")
int on_hypercall(void* event) {
  return count_detail(TRACE_HYPERCALL, TRACE_NONE, 0, FIELD(event, hypercall_nr));
}

SEC("raw_tp/kvm_emulate_insn")
int on_emulation(void* event) {
  (void)event;
  struct trace_thread* thread = current_thread(true).thread;
  if (thread) thread->emulated++;
  return 0;
}
