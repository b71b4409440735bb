#include "lib/blocks.h"

#include "lib/disk.h"
#include "lib/pattern.h"

enum { sector_words = sector_size / 8 };

static uint64_t gcd(uint64_t a, uint64_t b) {
  while (b) {
    const uint64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

// The golden section, so that what follows each other lies far apart; prime to the number of blocks, so that
// each is met.
static uint64_t far_step(uint64_t count) {
  uint64_t step = count * 618 / 1000 | 1;
  while (gcd(step, count) != 1) step += 2;
  return step;
}

void blocks_initialize(struct blocks* blocks, bool random) {
  blocks->step = random ? far_step(blocks->count) : 1;
}

uint64_t blocks_first_sector(const struct blocks* blocks, uint64_t request) {
  const uint64_t turn = request % blocks->count;
  return (blocks->step == 1 ? turn : turn * blocks->step % blocks->count) * blocks->sectors;
}

// How often a request's block was written before it, and before its last time.
static uint64_t version(const struct blocks* blocks, uint64_t request) {
  return request / blocks->count;
}
static uint64_t last_version(const struct blocks* blocks, uint64_t request) {
  return (blocks->requests - 1 - request % blocks->count) / blocks->count;
}

void blocks_fill(const struct blocks* blocks, uint64_t first, uint64_t count, char* buffer) {
  for (uint64_t request = first; request < first + count; ++request) {
    const uint64_t sector = blocks_first_sector(blocks, request);
    for (unsigned i = 0; i < blocks->sectors; ++i, buffer += sector_size)
      pattern_fill(buffer, sector_words, sector + i, version(blocks, request));
  }
}

struct blocks_difference blocks_compare(const struct blocks* blocks, uint64_t first, uint64_t count,
                                        const char* buffer) {
  for (uint64_t request = first; request < first + count; ++request) {
    const uint64_t sector = blocks_first_sector(blocks, request), written = last_version(blocks, request);
    for (unsigned i = 0; i < blocks->sectors; ++i, buffer += sector_size) {
      const int64_t byte = pattern_check(buffer, sector_words, sector + i, written);
      if (byte >= 0)
        return (struct blocks_difference){buffer, sector + i, (uint64_t)byte,
                                          pattern_word((uint64_t)byte, sector + i, written)};
    }
  }
  return (struct blocks_difference){0};
}
