/// The machine's memory behind the guest's own image, handed out once and never given back.
#pragma once

#include <stdint.h>

#include "lib/guest.h"

/// Finds it in the memory map. Ends the guest where the machine gave none.
void memory_initialize(const struct guest* guest);

/// `bytes` of it, at a multiple of `alignment`, a power of two. Ends the guest where there is no more.
void* memory_take(uint64_t bytes, uint64_t alignment);

uint64_t memory_left(void);
