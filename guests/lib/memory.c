#include "lib/memory.h"

#include "lib/print.h"

extern const char image_end[];

enum { range_is_ram = 1 };
static const uint64_t mapped = 0x100000000;  // by lib/start.S

static uint64_t next, end;

void memory_initialize(const struct guest* guest) {
  next = (uint64_t)image_end;
  for (unsigned i = 0; i < guest->memory_map_entries; ++i) {
    const struct memory_range* range = &guest->memory_map[i];
    if (range->type != range_is_ram || next < range->address || next - range->address >= range->size)
      continue;
    end = range->address + range->size;
    if (end > mapped) end = mapped;
    return;
  }
  guest_fail("this guest needs the memory map of a PVH start info of version 1");
}

void* memory_take(uint64_t bytes, uint64_t alignment) {
  const uint64_t begin = (next + alignment - 1) & ~(alignment - 1);
  if (begin > end || bytes > end - begin) {
    print_text("the machine has too little memory: ");
    print_number(bytes);
    print_line(" bytes more are needed");
    guest_exit(status_failed);
  }
  next = begin + bytes;
  return (void*)begin;
}

uint64_t memory_left(void) {
  return end - next;
}
