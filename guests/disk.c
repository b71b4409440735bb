// @disk: writes to a disk, reads back, compares, and says what each request took by the guest's own clock.
//
//   model=M      virtio: virtio-blk by MMIO; ata: device 0 of the primary IDE channel, by PIO; any (default):
//                the first of them that is there
//   op=O         both (default): write and read back; write; read: what an earlier op=write has written
//   n=N          requests (default 64)
//   size=BYTES   of a request, a multiple of 512 (default 4096)
//   access=A     sequential (default), random: each block once, before any is met again
//   sectors=N    use the first N of the disk (default all)
//   seed=N       of the data (default 1)
//   depth=N      requests in flight (default 1); an ATA disk has one, whatever is asked for
//   batch=N      requests for each notification of the device (default 1)
//   wait=W       poll (default), irq: halt until the device interrupts
//   cpl=N        drive the device in ring 3 (default) or 0; what takes ports or halts is in ring 0
//   print=P      table (default), result: the same figures for a program (lib/result.h)
// With model=virtio:
//   ring=R       split (default), packed
//   indirect=1, event_idx=1   use the feature; the device must offer it
//   suppress=1   leave out notifications that the device does not want (default 0: one a batch)
// With model=ata:
//   multiple=N   READ and WRITE MULTIPLE with N sectors a DRQ block (default: commands with one)
//
// Phases: 0x50 the buffers are filled or wiped, 0x51 write, 0x52 flush, 0x53 read, 0x54 compare, 0x5f result;
// before the first of them the device is set up. Where the data do not fit into memory at once, 0x50 and
// 0x51, and 0x50, 0x53 and 0x54, take turns.
#include "lib/disk.h"

#include "lib/blocks.h"
#include "lib/cpu.h"
#include "lib/latency.h"
#include "lib/memory.h"
#include "lib/pattern.h"
#include "lib/print.h"
#include "lib/result.h"
#include "lib/user_mode.h"

enum {
  mark_prepare = 0x50,
  mark_write = 0x51,
  mark_flush = 0x52,
  mark_read = 0x53,
  mark_compare = 0x54,
  mark_result = 0x5f
};

const char* const guest_option_keys[] = {"model",     "op",       "n",        "size", "access", "sectors",
                                         "seed",      "depth",    "batch",    "wait", "ring",   "indirect",
                                         "event_idx", "suppress", "multiple", "cpl",  "print",  0};

enum { op_both, op_write, op_read };

static const struct disk* disk;
static struct blocks blocks;
static uint32_t request_bytes;
static unsigned depth, batch;
static bool in_ring3;           // where the disk is driven
static char* buffers;           // of a round's requests
static uint64_t round_size;     // how many requests there are buffers for
static uint64_t* submitted_at;  // by slot
static uint64_t* request_of;    // by slot; none where it is free
static unsigned* free_slots;

// A round: requests `first` to `first` + `count` - 1, each with a buffer of its own.
struct round {
  uint64_t first, count;
  enum disk_operation operation;
  struct latencies* latencies;
};

static void fill(void* argument) {
  const struct round* round = argument;
  blocks_fill(&blocks, round->first, round->count, buffers);
}

static void wipe(void* argument) {
  const struct round* round = argument;
  fill_words(buffers, 0, round->count * request_bytes / 8);
}

static struct blocks_difference difference;

static void compare(void* argument) {
  const struct round* round = argument;
  difference = blocks_compare(&blocks, round->first, round->count, buffers);
}

static void fail_compare(void) {
  print_text("sector ");
  print_number(difference.sector);
  print_text(" differs at byte ");
  print_number(difference.byte);
  print_text(": 0x");
  print_hex(*(const uint64_t*)(difference.data + difference.byte));
  print_text(" instead of 0x");
  print_hex(difference.expected);
  print_line("");
  guest_exit(status_wrong_data);
}

static uint64_t failed_request;

static void fail_request(void) {
  print_text("the disk gave an error for the request at sector ");
  print_number(blocks_first_sector(&blocks, failed_request));
  print_line("");
  guest_exit(status_failed);
}

static const uint64_t none = UINT64_MAX;

// A disk may do what it is asked at the same time in any order, so that a block that is written again waits
// until it has been written: whether `next` is no further than a turn of all blocks from the oldest request
// under way.
static bool may_submit(uint64_t next) {
  if (blocks.requests <= blocks.count) return true;
  for (unsigned slot = 0; slot < depth; ++slot) {
    if (request_of[slot] != none && next - request_of[slot] >= blocks.count) return false;
  }
  return true;
}

static void work(void* argument) {
  const struct round* round = argument;
  uint64_t submitted = 0, completed = 0;
  unsigned free_count = depth;
  for (unsigned i = 0; i < depth; ++i) {
    free_slots[i] = i;
    request_of[i] = none;
  }
  const uint64_t begin = read_tsc();
  while (completed < round->count) {
    const uint64_t left = round->count - submitted;
    unsigned together = left < batch ? (unsigned)left : batch;
    if (together && free_count >= together && may_submit(round->first + submitted + together - 1)) {
      for (; together; --together, ++submitted) {
        const unsigned slot = free_slots[--free_count];
        request_of[slot] = round->first + submitted;
        submitted_at[slot] = read_tsc();
        disk->submit(slot, round->operation, blocks_first_sector(&blocks, request_of[slot]),
                     buffers + submitted * request_bytes, request_bytes);
      }
      disk->kick();
    }
    bool failed;
    const int slot = disk->complete(&failed);
    if (slot < 0) {
      disk->wait();
      continue;
    }
    latency_add(round->latencies, read_tsc() - submitted_at[slot]);
    if (failed) {
      failed_request = request_of[slot];
      user_mode_abandon(fail_request);
    }
    request_of[slot] = none;
    free_slots[free_count++] = (unsigned)slot;
    ++completed;
  }
  round->latencies->elapsed += read_tsc() - begin;
}

static void run(struct round* round) {
  phase_mark(round->operation == disk_write ? mark_write : mark_read);
  if (in_ring3)
    user_mode_call_interrupted(work, round);
  else
    work(round);
}

static uint64_t round_from(uint64_t first) {
  const uint64_t left = blocks.requests - first;
  return left < round_size ? left : round_size;
}

static void write_all(struct latencies* latencies) {
  for (uint64_t first = 0; first < blocks.requests; first += round_size) {
    struct round round = {first, round_from(first), disk_write, latencies};
    phase_mark(mark_prepare);
    user_mode_call(fill, &round);
    run(&round);
  }
}

static bool flush_failed;

static void flush_disk(void* argument) {
  struct latencies* const latencies = argument;
  const uint64_t begin = read_tsc();
  disk->submit(0, disk_flush, 0, 0, 0);
  disk->kick();
  while (disk->complete(&flush_failed) < 0) disk->wait();
  latencies->elapsed = read_tsc() - begin;
  latency_add(latencies, latencies->elapsed);
}

static void flush(struct latencies* latencies) {
  phase_mark(mark_flush);
  if (in_ring3)
    user_mode_call_interrupted(flush_disk, latencies);
  else
    flush_disk(latencies);
  if (flush_failed) guest_fail("the disk gave an error for the flush");
}

static void read_all(struct latencies* latencies) {
  for (uint64_t first = 0; first < blocks.requests; first += round_size) {
    struct round round = {first, round_from(first), disk_read, latencies};
    phase_mark(mark_prepare);
    user_mode_call(wipe, &round);
    run(&round);
    phase_mark(mark_compare);
    user_mode_call(compare, &round);
    if (difference.data) fail_compare();
  }
}

static void check_options(const struct guest* guest, unsigned op) {
  if (disk->depth == 1) depth = batch = 1;
  if (depth > disk->depth) guest_fail("depth= is more than the disk's queue takes");
  if (blocks.sectors > disk->sectors_most) guest_fail("size= is more than the disk takes at once");
  if (op != op_read && disk->read_only) guest_fail("the disk is read-only: op=read reads what is on it");
  in_ring3 = option_number(guest, "cpl", 3, 0, 3) == 3 && disk->by_memory;
  blocks.count = option_number(guest, "sectors", disk->sectors, 1, disk->sectors) / blocks.sectors;
  if (blocks.count < depth) guest_fail("the disk, or sectors=, has less than depth= requests of size=");
  static const char* const accesses[] = {"sequential", "random", 0};
  blocks_initialize(&blocks, option_choice(guest, "access", accesses) == 1);
}

static void take_memory_for_slots(void) {
  submitted_at = memory_take(depth * sizeof *submitted_at, 8);
  request_of = memory_take(depth * sizeof *request_of, 8);
  free_slots = memory_take(depth * sizeof *free_slots, 8);
}

static void take_buffers(void) {
  const uint64_t page = 4096, fitting = (memory_left() - page) / request_bytes;
  round_size = blocks.requests < fitting ? blocks.requests : fitting;
  if (round_size < depth && round_size < blocks.requests)
    guest_fail("the machine has too little memory for depth= requests");
  buffers = memory_take(round_size * request_bytes, page);
}

static unsigned read_options(const struct guest* guest) {
  static const char* const ops[] = {"both", "write", "read", 0};
  blocks.requests = option_number(guest, "n", 64, 1, UINT32_MAX);
  request_bytes = (uint32_t)option_number(guest, "size", 4096, sector_size, 1 << 20);
  if (request_bytes % sector_size) guest_fail("size= is no multiple of 512");
  blocks.sectors = request_bytes / sector_size;
  depth = (unsigned)option_number(guest, "depth", 1, 1, 256);
  batch = (unsigned)option_number(guest, "batch", 1, 1, 256);
  if (batch > depth) guest_fail("batch= is more than depth=");
  return option_choice(guest, "op", ops);
}

int guest_main(const struct guest* guest) {
  const unsigned op = read_options(guest);
  const bool for_program = result_wanted(guest);
  memory_initialize(guest);
  take_memory_for_slots();
  disk = disk_find(guest, depth);
  check_options(guest, op);
  pattern_initialize(option_number(guest, "seed", 1, 0, UINT64_MAX));
  static struct latencies writes, flushes, reads;
  static uint32_t flush_cycles;
  const uint64_t cycles_size = blocks.requests * sizeof *writes.cycles;
  writes.cycles = op == op_read ? 0 : memory_take(cycles_size, 8);
  reads.cycles = op == op_write ? 0 : memory_take(cycles_size, 8);
  flushes.cycles = &flush_cycles;
  take_buffers();

  if (op != op_read) {
    write_all(&writes);
    if (disk->can_flush) flush(&flushes);
  }
  if (op != op_write) read_all(&reads);

  phase_mark(mark_result);
  if (!for_program) latency_print_header();
  void (*const print)(const char*, struct latencies*) = for_program ? result_line : latency_print;
  print("write", &writes);
  print("flush", &flushes);
  print("read", &reads);
  return status_ok;
}
