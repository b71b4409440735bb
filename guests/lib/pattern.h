/// Test data that tells where it belongs: sectors of a disk and payloads of frames. Each is a part of a table
/// of random words, chosen by its number, with that number as its first word; so data of the wrong place, of
/// an older write, shifted, or mixed of two places are noticed.
#pragma once

#include <stdint.h>

void pattern_initialize(uint64_t seed);

/// `words` of 8 bytes, at most pattern_words_max, at a multiple of 8 bytes. `number` is the place, `version`,
/// below 2^16, how often it was written before.
enum { pattern_words_max = 256 };
void pattern_fill(void* data, uint64_t words, uint64_t number, uint64_t version);

/// The byte of the first word that is not as pattern_fill() left it, -1 where all are.
int64_t pattern_check(const void* data, uint64_t words, uint64_t number, uint64_t version);

/// The word that belongs there.
uint64_t pattern_word(uint64_t at_byte, uint64_t number, uint64_t version);
