// @disk: writes to a disk, reads back, compares, and says what each request took by the guest's own clock.
//
//   model=M      virtio (default): virtio-blk by MMIO; ata: device 0 of the primary IDE channel, by PIO
//   op=O         both (default): write and read back; write; read: what an earlier run with the same options
//   wrote n=N          requests (default 64) size=BYTES   of a request, a multiple of 512 (default 4096)
//   access=A     sequential (default), random: each block once, before any is met again
//   sectors=N    use the first N of the disk (default all)
//   seed=N       of the data (default 1)
//   depth=N      requests in flight (default 1; an ATA disk has no more)
//   batch=N      requests for each notification of the device (default 1)
//   wait=W       poll (default), irq: halt until the device interrupts
// With model=virtio:
//   ring=R       split (default), packed
//   indirect=1, event_idx=1   use the feature; the device must offer it
//   suppress=1   leave out notifications that the device does not want (default 0: one for every batch)
// With model=ata:
//   multiple=N   READ and WRITE MULTIPLE with N sectors a DRQ block (default: the commands with one)
//
// Phases: 0x50 the buffers are filled or wiped, 0x51 write, 0x52 flush, 0x53 read, 0x54 compare, 0x5f result;
// before the first of them the device is set up. Where the data do not fit into memory at once, 0x50 and
// 0x51, and 0x50, 0x53 and 0x54, take turns.
#include "lib/disk.h"

#include "lib/apic.h"
#include "lib/cpu.h"
#include "lib/latency.h"
#include "lib/memory.h"
#include "lib/pattern.h"
#include "lib/print.h"

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
                                         "event_idx", "suppress", "multiple", 0};

enum { model_virtio, model_ata };
enum { op_both, op_write, op_read };

static const struct disk* disk;
static uint64_t requests;    // in all
static uint64_t blocks;      // of the disk that are used; a request is one
static uint64_t block_step;  // from one request's block to the next one's
static uint32_t block_sectors;
static unsigned depth, batch;
static char* buffers;           // of a round's requests
static uint64_t round_size;     // how many requests there are buffers for
static uint64_t* submitted_at;  // by slot
static uint64_t* request_of;    // by slot, within the round
static unsigned* free_slots;

static uint64_t gcd(uint64_t a, uint64_t b) {
  while (b) {
    const uint64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

// The golden section of the disk, so that what follows each other lies far apart; prime to the number of
// blocks, so that each is met.
static uint64_t random_step(void) {
  uint64_t step = blocks * 618 / 1000 | 1;
  while (gcd(step, blocks) != 1) step += 2;
  return step;
}

static uint64_t block_of(uint64_t request) {
  const uint64_t turn = request % blocks;
  return block_step == 1 ? turn : turn * block_step % blocks;
}

static uint64_t first_sector(uint64_t request) {
  return block_of(request) * block_sectors;
}

static char* buffer_of(uint64_t request_of_round) {
  return buffers + request_of_round * block_sectors * sector_size;
}

enum { sector_words = sector_size / 8 };

static void fill(uint64_t first, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t sector = first_sector(first + i), version = (first + i) / blocks;
    for (unsigned at = 0; at < block_sectors; ++at)
      pattern_fill(buffer_of(i) + at * sector_size, sector_words, sector + at, version);
  }
}

// How often a block had been written before its last time.
static uint64_t last_version(uint64_t request) {
  return (requests - 1 - request % blocks) / blocks;
}

__attribute__((noreturn)) static void fail_compare(const char* data, uint64_t sector, uint64_t version,
                                                   int64_t byte) {
  print_text("sector ");
  print_number(sector);
  print_text(" differs at byte ");
  print_number((uint64_t)byte);
  print_text(": 0x");
  print_hex(*(const uint64_t*)(data + byte));
  print_text(" instead of 0x");
  print_hex(pattern_word((uint64_t)byte, sector, version));
  print_line("");
  guest_exit(status_wrong_data);
}

static void compare(uint64_t first, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t sector = first_sector(first + i), version = last_version(first + i);
    for (unsigned at = 0; at < block_sectors; ++at) {
      const char* data = buffer_of(i) + at * sector_size;
      const int64_t difference = pattern_check(data, sector_words, sector + at, version);
      if (difference >= 0) fail_compare(data, sector + at, version, difference);
    }
  }
}

__attribute__((noreturn)) static void fail_request(uint64_t sector) {
  print_text("the disk gave an error for the request at sector ");
  print_number(sector);
  print_line("");
  guest_exit(status_failed);
}

// Requests `first` to `first` + `count` - 1, each with a buffer of its own.
static void work(enum disk_operation operation, uint64_t first, uint64_t count, struct latencies* latencies) {
  const uint32_t bytes = block_sectors * sector_size;
  uint64_t submitted = 0, completed = 0;
  unsigned free_count = depth;
  for (unsigned i = 0; i < depth; ++i) free_slots[i] = i;
  const uint64_t begin = read_tsc();
  while (completed < count) {
    const uint64_t left = count - submitted;
    unsigned together = left < batch ? (unsigned)left : batch;
    if (together && free_count >= together) {
      for (; together; --together, ++submitted) {
        const unsigned slot = free_slots[--free_count];
        request_of[slot] = first + submitted;
        submitted_at[slot] = read_tsc();
        disk->submit(slot, operation, first_sector(first + submitted), buffer_of(submitted), bytes);
      }
      disk->kick();
    }
    bool failed;
    const int slot = disk->complete(&failed);
    if (slot < 0) {
      disk->wait();
      continue;
    }
    latency_add(latencies, read_tsc() - submitted_at[slot]);
    if (failed) fail_request(first_sector(request_of[slot]));
    free_slots[free_count++] = (unsigned)slot;
    ++completed;
  }
  latencies->elapsed += read_tsc() - begin;
}

static uint64_t round_from(uint64_t first) {
  return requests - first < round_size ? requests - first : round_size;
}

static void write_all(struct latencies* latencies) {
  for (uint64_t first = 0; first < requests; first += round_size) {
    phase_mark(mark_prepare);
    fill(first, round_from(first));
    phase_mark(mark_write);
    work(disk_write, first, round_from(first), latencies);
  }
}

static void flush(struct latencies* latencies) {
  phase_mark(mark_flush);
  const uint64_t begin = read_tsc();
  disk->submit(0, disk_flush, 0, 0, 0);
  disk->kick();
  bool failed;
  while (disk->complete(&failed) < 0) disk->wait();
  latencies->elapsed = read_tsc() - begin;
  latency_add(latencies, latencies->elapsed);
  if (failed) guest_fail("the disk gave an error for the flush");
}

static void read_all(struct latencies* latencies) {
  for (uint64_t first = 0; first < requests; first += round_size) {
    const uint64_t count = round_from(first);
    phase_mark(mark_prepare);
    fill_words(buffers, 0, count * block_sectors * sector_words);
    phase_mark(mark_read);
    work(disk_read, first, count, latencies);
    phase_mark(mark_compare);
    compare(first, count);
  }
}

static void find_disk(const struct guest* guest) {
  static const char* const models[] = {"virtio", "ata", 0};
  static const char* const waits[] = {"poll", "irq", 0};
  const bool by_interrupt = option_choice(guest, "wait", waits) == 1;
  if (by_interrupt) {
    if (!apic_present()) guest_fail("wait=irq needs a local APIC");
    apic_enable();
  }
  const unsigned model = option_choice(guest, "model", models);
  disk = model == model_virtio ? virtio_disk(guest, depth, by_interrupt) : ata_disk(guest, by_interrupt);
  if (!disk) guest_fail(model == model_virtio ? "there is no virtio-blk device" : "there is no ATA disk");
}

static void check_options(const struct guest* guest, unsigned op) {
  if (depth > disk->depth) guest_fail("depth= is more than the disk's queue takes");
  if (block_sectors > disk->sectors_most) guest_fail("size= is more than the disk takes at once");
  if (op != op_read && disk->read_only) guest_fail("the disk is read-only: op=read reads what is on it");
  const uint64_t sectors = option_number(guest, "sectors", disk->sectors, 1, disk->sectors);
  blocks = sectors / block_sectors;
  if (blocks < depth) guest_fail("the disk, or sectors=, has less than depth= requests of size=");
  static const char* const accesses[] = {"sequential", "random", 0};
  block_step = option_choice(guest, "access", accesses) == 1 ? random_step() : 1;
}

static void take_memory(void) {
  submitted_at = memory_take(depth * sizeof *submitted_at, 8);
  request_of = memory_take(depth * sizeof *request_of, 8);
  free_slots = memory_take(depth * sizeof *free_slots, 8);
}

static void take_buffers(void) {
  const uint64_t bytes = (uint64_t)block_sectors * sector_size, page = 4096;
  const uint64_t fitting = (memory_left() - page) / bytes;
  round_size = requests < fitting ? requests : fitting;
  if (round_size < depth && round_size < requests)
    guest_fail("the machine has too little memory for depth= requests");
  buffers = memory_take(round_size * bytes, page);
}

int guest_main(const struct guest* guest) {
  static const char* const ops[] = {"both", "write", "read", 0};
  const unsigned op = option_choice(guest, "op", ops);
  requests = option_number(guest, "n", 64, 1, UINT32_MAX);
  const uint64_t size = option_number(guest, "size", 4096, sector_size, 1 << 20);
  if (size % sector_size) guest_fail("size= is no multiple of 512");
  block_sectors = (uint32_t)(size / sector_size);
  depth = (unsigned)option_number(guest, "depth", 1, 1, 256);
  batch = (unsigned)option_number(guest, "batch", 1, 1, 256);
  if (batch > depth) guest_fail("batch= is more than depth=");

  memory_initialize(guest);
  take_memory();
  find_disk(guest);
  check_options(guest, op);
  pattern_initialize(option_number(guest, "seed", 1, 0, UINT64_MAX));
  static struct latencies writes, flushes, reads;
  static uint32_t flush_cycles;
  writes.cycles = op == op_read ? 0 : memory_take(requests * sizeof *writes.cycles, 8);
  reads.cycles = op == op_write ? 0 : memory_take(requests * sizeof *reads.cycles, 8);
  flushes.cycles = &flush_cycles;
  take_buffers();

  if (op != op_read) {
    write_all(&writes);
    if (disk->can_flush) flush(&flushes);
  }
  if (op != op_write) read_all(&reads);

  phase_mark(mark_result);
  latency_print_header();
  latency_print("write", &writes);
  latency_print("flush", &flushes);
  latency_print("read", &reads);
  return status_ok;
}
