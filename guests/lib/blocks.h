/// Which part of a disk each request is for, and what belongs there: blocks of some sectors, all of them met
/// once before one is met again. The sectors' data (lib/pattern.h) tell the sector and how often its block
/// was written before.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct blocks {
  uint64_t count;
  uint64_t step;      ///< from one request's block to the next one's, which wraps around at `count`
  uint64_t requests;  ///< in all; from 0 on
  uint32_t sectors;   ///< of a block
};

/// Sets `step`, the other members being set: block follows block, or each lies far from the one before.
void blocks_initialize(struct blocks* blocks, bool random);

uint64_t blocks_first_sector(const struct blocks* blocks, uint64_t request);

/// Writes what belongs to `count` requests from `first` on into `buffer`, one behind the other.
void blocks_fill(const struct blocks* blocks, uint64_t first, uint64_t count, char* buffer);

struct blocks_difference {
  const char* data;  ///< the sector in which it is; null where there is none
  uint64_t sector, byte, expected;
};

/// Compares it with what is there once all requests have written.
struct blocks_difference blocks_compare(const struct blocks* blocks, uint64_t first, uint64_t count,
                                        const char* buffer);
