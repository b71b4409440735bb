// @share: steps of work, of which a share are requests to a disk, one after the other, and the others
// computing.
//
//   share=A,B    percent of the steps that are requests, each in turn (default 0,25,50,75,100)
//   n=N          steps for each share (default 100); those that are requests lie evenly among them
//   model=M      virtio, ata, any (default): as @disk
//   op=O         read (default), write
//   size=BYTES   of a request, a multiple of 512 (default 512)
//   unit=N       rounds of a loop that a step of computing is (default 2000)
// And as @disk: wait=, multiple=, ring=, indirect=, event_idx=, suppress=
//
// A step that computes, or whose disk has its registers in memory, is done in ring 3. Phases: 0x70 for the
// first share, 0x71 for the second, ..., 0x7f result.
#include "lib/cpu.h"
#include "lib/disk.h"
#include "lib/latency.h"
#include "lib/memory.h"
#include "lib/pattern.h"
#include "lib/result.h"
#include "lib/user_mode.h"

enum { mark_first_share = 0x70, mark_result = 0x7f, shares_most = mark_result - mark_first_share };

const char* const guest_option_keys[] = {"share",     "n",        "model",    "op",   "size",
                                         "unit",      "wait",     "multiple", "ring", "indirect",
                                         "event_idx", "suppress", 0};

struct share {
  uint64_t percent, elapsed;
  uint64_t computing;  // cycles of the steps that compute
  struct latencies requests;
};

static const struct disk* disk;
static enum disk_operation operation;
static uint64_t steps, unit;
static uint32_t request_bytes;
static char* buffer;

static volatile uint64_t computed;

static void compute(void* argument) {
  (void)argument;
  uint64_t value = computed | 1;
  for (uint64_t i = 0; i < unit; ++i) {
    value ^= value << 13;
    value ^= value >> 7;
    value ^= value << 17;
  }
  computed = value;
}

static void end_failed(void) {
  guest_fail("the disk gave an error for a request");
}

static void request(void* argument) {
  const uint64_t number = *(const uint64_t*)argument, sectors = request_bytes / sector_size;
  disk->submit(0, operation, number % (disk->sectors / sectors) * sectors, buffer, request_bytes);
  disk->kick();
  bool failed;
  while (disk->complete(&failed) < 0) disk->wait();
  if (failed) user_mode_abandon(end_failed);
}

static void request_once(struct share* share) {
  uint64_t number = share->requests.count;
  const uint64_t begin = read_tsc();
  if (disk->by_memory)
    user_mode_call(request, &number);
  else
    request(&number);
  const uint64_t cycles = read_tsc() - begin;
  latency_add(&share->requests, cycles);
  share->requests.elapsed += cycles;
}

static void work(struct share* share) {
  const uint64_t begin = read_tsc();
  uint64_t due = 0;  // hundredths of a request
  for (uint64_t step = 0; step < steps; ++step) {
    due += share->percent;
    if (due >= 100) {
      due -= 100;
      request_once(share);
      continue;
    }
    const uint64_t before = read_tsc();
    user_mode_call(compute, 0);
    share->computing += read_tsc() - before;
  }
  share->elapsed = read_tsc() - begin;
}

static void read_options(const struct guest* guest) {
  static const char* const operations[] = {"read", "write", 0};
  steps = option_number(guest, "n", 100, 1, UINT32_MAX);
  unit = option_number(guest, "unit", 2000, 1, UINT32_MAX);
  request_bytes = (uint32_t)option_number(guest, "size", sector_size, sector_size, 1 << 20);
  if (request_bytes % sector_size) guest_fail("size= is no multiple of 512");
  operation = option_choice(guest, "op", operations) == 1 ? disk_write : disk_read;
}

static void find_disk(const struct guest* guest) {
  disk = disk_find(guest, 1);
  const uint64_t sectors = request_bytes / sector_size;
  if (sectors > disk->sectors_most) guest_fail("size= is more than the disk takes at once");
  if (sectors > disk->sectors) guest_fail("the disk is smaller than size=");
  if (operation == disk_write && disk->read_only) guest_fail("the disk is read-only: leave out op=write");
}

static void print_result(struct share* share) {
  result_begin_numbered("share", share->percent);
  result_number("steps", steps);
  result_number("elapsed", share->elapsed);
  result_number("computing", share->computing);
  result_latencies(&share->requests);
  result_end();
}

int guest_main(const struct guest* guest) {
  static uint64_t percents[shares_most];
  static struct share shares[shares_most];
  const unsigned count = option_numbers(guest, "share", "0,25,50,75,100", percents, shares_most, 0, 100);
  read_options(guest);
  memory_initialize(guest);
  find_disk(guest);
  buffer = memory_take(request_bytes, 4096);
  pattern_initialize(1);
  pattern_fill(buffer, request_bytes / 8, 0, 0);
  for (unsigned i = 0; i < count; ++i) {
    shares[i].percent = percents[i];
    shares[i].requests.cycles = memory_take(steps * sizeof *shares[i].requests.cycles, 8);
  }
  for (unsigned i = 0; i < count; ++i) {
    phase_mark((uint8_t)(mark_first_share + i));
    work(&shares[i]);
  }
  phase_mark(mark_result);
  for (unsigned i = 0; i < count; ++i) print_result(&shares[i]);
  return status_ok;
}
