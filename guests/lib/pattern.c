#include "lib/pattern.h"

#include "lib/cpu.h"
#include "lib/user_mode.h"

enum { places = 1024 };
static uint64_t table[places + pattern_words_max];
static uint64_t stamp_seed;

// Marsaglia, "Xorshift RNGs", 2003: a generator of the full period but for 0.
static uint64_t next_random(uint64_t* state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

static void initialize(void* argument) {
  uint64_t state = *(const uint64_t*)argument * 0x9e3779b97f4a7c15 | 1;
  stamp_seed = next_random(&state);
  for (unsigned i = 0; i < places + pattern_words_max; ++i) table[i] = next_random(&state);
}

void pattern_initialize(uint64_t seed) {
  user_mode_call(initialize, &seed);
}

static uint64_t stamp(uint64_t number, uint64_t version) {
  return stamp_seed ^ number ^ version << 48;
}

// Knuth's multiplicative hash: neighbours are far from each other.
static const uint64_t* place(uint64_t number, uint64_t version) {
  return &table[(number + (version << 32)) * 0x9e3779b97f4a7c15 >> 54];
}
_Static_assert(places == 1 << (64 - 54), "the hash has as many values as there are places");

void pattern_fill(void* data, uint64_t words, uint64_t number, uint64_t version) {
  uint64_t* to = data;
  to[0] = stamp(number, version);
  copy_words(to + 1, place(number, version), words - 1);
}

int64_t pattern_check(const void* data, uint64_t words, uint64_t number, uint64_t version) {
  const uint64_t* found = data;
  if (found[0] != stamp(number, version)) return 0;
  const uint64_t rest = compare_words(found + 1, place(number, version), words - 1);
  return rest ? (int64_t)(8 * (words - rest)) : -1;
}

uint64_t pattern_word(uint64_t at_byte, uint64_t number, uint64_t version) {
  return at_byte ? place(number, version)[at_byte / 8 - 1] : stamp(number, version);
}
