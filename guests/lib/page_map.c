#include "lib/page_map.h"

#include <stdbool.h>

extern uint64_t page_map_level_4[];

enum { present = 1, above_identity_map = 4, address_bits = 0xfff };

static uint64_t directory[512] __attribute__((aligned(4096)));
static uint64_t table[page_map_pages] __attribute__((aligned(4096)));

static void connect(void) {
  uint64_t* const pointers = (uint64_t*)(page_map_level_4[0] & ~(uint64_t)address_bits);
  directory[0] = (uint64_t)table | present | page_writable | page_user;
  pointers[above_identity_map] = (uint64_t)directory | present | page_writable | page_user;
}

uint64_t page_map(unsigned index, uint64_t physical, unsigned flags) {
  static bool connected;
  if (!connected) connect();
  connected = true;
  const uint64_t linear = ((uint64_t)above_identity_map << 30) + (uint64_t)index * page_bytes;
  *(volatile uint64_t*)&table[index] = physical | flags | present;
  asm volatile("invlpg (%0)" : : "r"(linear) : "memory");
  return linear;
}
