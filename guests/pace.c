// @pace: reads from a virtio disk at a given rate, whether or not the earlier requests have been answered,
// and takes the answers when the device interrupts: what a notification that is held back saves, and what it
// costs the request.
//
//   rate=A,B     requests a second, each rate in turn (default 1000)
//   n=N          requests of each rate (default 256)
//   size=BYTES   of a request, a multiple of 512 (default 512)
//   depth=N      requests in flight at most (default 64): where there are as many, the next one is late
// And as @disk: ring=, indirect=, event_idx=, suppress=
//
// Between its requests the guest is busy, in ring 3, and does not look whether any has been answered before
// it is interrupted. Phases: 0x70 for the first rate, 0x71 for the second, ..., 0x7f result.
#include "lib/apic.h"
#include "lib/clock.h"
#include "lib/cpu.h"
#include "lib/disk.h"
#include "lib/latency.h"
#include "lib/memory.h"
#include "lib/result.h"
#include "lib/user_mode.h"
#include "lib/virtio_mmio.h"

enum { mark_first_rate = 0x70, mark_result = 0x7f, rates_most = mark_result - mark_first_rate };
enum { depth_most = 64, rate_most = 10000000 };

const char* const guest_option_keys[] = {"rate",     "n",         "size",     "depth", "ring",
                                         "indirect", "event_idx", "suppress", 0};

struct rate {
  uint64_t a_second, interval;  // interval in cycles
  uint64_t late;                // requests that went out an interval or more after their time
  uint64_t interrupts;          // taken in its phase
  struct latencies latencies;
};

static const struct disk* disk;
static uint64_t requests;
static uint32_t request_bytes;
static unsigned depth;
static char* buffers;
static uint64_t submitted_at[depth_most];
static unsigned free_slots[depth_most], free_count;

static void end_failed(void) {
  guest_fail("the disk gave an error for a request");
}

static void submit(struct rate* rate, uint64_t number, uint64_t due) {
  const unsigned slot = free_slots[--free_count];
  const uint64_t blocks = disk->sectors * sector_size / request_bytes;
  const uint64_t now = read_tsc();
  if (now - due >= rate->interval) ++rate->late;
  submitted_at[slot] = now;
  disk->submit(slot, disk_read, number % blocks * (request_bytes / sector_size),
               buffers + slot * request_bytes, request_bytes);
  disk->kick();
}

static uint64_t take_answers(struct rate* rate) {
  uint64_t taken = 0;
  do {
    bool failed;
    for (int slot; (slot = disk->complete(&failed)) >= 0; ++taken) {
      latency_add(&rate->latencies, read_tsc() - submitted_at[slot]);
      if (failed) user_mode_abandon(end_failed);
      free_slots[free_count++] = (unsigned)slot;
    }
  } while (disk->want_interrupt());
  return taken;
}

static void work(void* argument) {
  struct rate* rate = argument;
  const uint64_t begin = read_tsc();
  uint64_t submitted = 0, answered = 0, due = begin, seen = virtio_interrupts;
  take_answers(rate);
  while (answered < requests) {
    if (submitted < requests && free_count && read_tsc() >= due) {
      submit(rate, submitted++, due);
      due += rate->interval;
    }
    if (virtio_interrupts != seen) {
      seen = virtio_interrupts;
      answered += take_answers(rate);
    }
    pause();
  }
  rate->latencies.elapsed = read_tsc() - begin;
}

static void read_options(const struct guest* guest) {
  requests = option_number(guest, "n", 256, 1, UINT32_MAX);
  request_bytes = (uint32_t)option_number(guest, "size", 512, sector_size, 1 << 20);
  if (request_bytes % sector_size) guest_fail("size= is no multiple of 512");
  depth = (unsigned)option_number(guest, "depth", depth_most, 1, depth_most);
}

static void find_disk(const struct guest* guest) {
  if (!apic_present()) guest_fail("the requests are answered by interrupts: this needs a local APIC");
  apic_enable();
  disk = virtio_disk(guest, depth, true);
  if (!disk) guest_fail("there is no virtio-blk device");
  if (depth > disk->depth) guest_fail("depth= is more than the disk's queue takes");
  if (disk->sectors * sector_size < request_bytes) guest_fail("the disk is smaller than size=");
}

static void print_result(struct rate* rate) {
  result_begin_numbered("rate", rate->a_second);
  result_number("interrupts", rate->interrupts);
  result_number("late", rate->late);
  result_latencies(&rate->latencies);
  result_end();
}

int guest_main(const struct guest* guest) {
  static uint64_t wanted[rates_most];
  static struct rate rates[rates_most];
  const unsigned count = option_numbers(guest, "rate", "1000", wanted, rates_most, 1, rate_most);
  read_options(guest);
  memory_initialize(guest);
  find_disk(guest);
  buffers = memory_take((uint64_t)depth * request_bytes, 4096);
  for (unsigned i = 0; i < depth; ++i) free_slots[free_count++] = i;
  for (unsigned i = 0; i < count; ++i) {
    rates[i].a_second = wanted[i];
    rates[i].interval = clock_tsc_khz() * 1000 / wanted[i];
    rates[i].latencies.cycles = memory_take(requests * sizeof *rates[i].latencies.cycles, 8);
  }
  for (unsigned i = 0; i < count; ++i) {
    phase_mark((uint8_t)(mark_first_rate + i));
    const uint64_t before = virtio_interrupts;
    user_mode_call_interrupted(work, &rates[i]);
    rates[i].interrupts = virtio_interrupts - before;
  }
  phase_mark(mark_result);
  for (unsigned i = 0; i < count; ++i) print_result(&rates[i]);
  return status_ok;
}
