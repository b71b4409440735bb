// @paging: touches memory for the first time, edits page tables, switches address spaces and flushes the TLB.
//
//   op=NAME  only this one (default all): nothing fresh fresh-2m again map remap protect cr3-same cr3-switch
//            cr3-pcid flush invlpg
//   n=N      rounds of each (default 100, at least 8); fresh-2m has 16 at most
//
// Each is a phase of its own, which begins with the mark 0x80 (nothing) to 0x8b (invlpg) on port 0x80; the
// mark 0x8f ends it. A line of results for each: rounds, cycles of all, and their exits (lib/exit_window.h).
// None needs an exit to user space. What a round does:
//
//   nothing     goes once round an empty loop
//   fresh       writes to a page of 4 KiB that nobody has touched
//   fresh-2m    writes to a range of 2 MiB that nobody has touched, once
//   again       writes to a page of those that fresh has touched
//   map         makes an entry present that was not, of a page that was touched, and writes there
//   remap       has an entry in use name another page; INVLPG; writes there
//   protect     takes write permission from an entry in use; INVLPG; gives it back; INVLPG; writes there
//   cr3-same    writes to CR3 what it holds
//   cr3-switch  writes the other one of two address spaces to CR3, and writes to a page of its own
//   cr3-pcid    the same with a PCID each, and without a flush
//   flush       flushes the whole TLB by CR4.PGE, and writes to 8 pages
//   invlpg      INVLPG of a page in use, and writes there
#include "lib/cpu.h"
#include "lib/exit_window.h"
#include "lib/guest.h"
#include "lib/memory.h"
#include "lib/print.h"
#include "lib/result.h"
#include "lib/user_mode.h"

enum { mark_first_op = 0x80, mark_end = 0x8f };

const char* const guest_option_keys[] = {"op", "n", 0};

// Entries of page tables (Intel SDM vol. 3, 4.5).
static const uint64_t entry_present = 1, entry_writable = 2, entry_table = 7;
static const uint64_t cr4_pge = 1u << 7, cr4_pcide = 1u << 17, cr3_no_flush = 1ull << 63;
enum { page_size = 4096, large_page_size = 2 << 20, table_entries = 512, large_pages_max = 16 };

// The window: what lies at 1 TiB, slot 2 of the PML4, is mapped here by pages of 4 KiB.
static const uint64_t window = 1ull << 40;
enum { window_slot = 2 };

/// An address space: lib/start.S's identity map, and a window of its own.
struct space {
  uint64_t* root;
  uint64_t* entries;  // of the window's pages, one table after the other
};

static uint64_t rounds_wanted, window_pages;
static struct space first, second;
static volatile uint8_t* pages;  // rounds_wanted, touched from `fresh` on

static uint64_t read_cr3(void) {
  uint64_t value;
  asm volatile("mov %%cr3, %0" : "=r"(value));
  return value;
}
static void write_cr3(uint64_t value) {
  asm volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}
static uint64_t read_cr4(void) {
  uint64_t value;
  asm volatile("mov %%cr4, %0" : "=r"(value));
  return value;
}
static void write_cr4(uint64_t value) {
  asm volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}
static void invalidate(uint64_t address) {
  asm volatile("invlpg (%0)" : : "r"(address) : "memory");
}
static void touch(uint64_t address) {
  *(volatile uint8_t*)address = 1;
}

static uint64_t* new_table(void) {
  uint64_t* table = memory_take(page_size, page_size);
  fill_words(table, 0, table_entries);
  return table;
}

static uint64_t table_entry(const uint64_t* table) {
  return (uint64_t)table | entry_table;
}
static uint64_t page_entry(uint64_t number) {
  return (uint64_t)&pages[number % rounds_wanted * page_size] | entry_present | entry_writable;
}
static uint64_t window_address(uint64_t number) {
  return window + number * page_size;
}

static struct space new_space(uint64_t tables) {
  struct space space = {.root = new_table(), .entries = 0};
  uint64_t* const pointers = new_table();
  uint64_t* const directory = new_table();
  copy_words(space.root, (const void*)(read_cr3() & ~(uint64_t)(page_size - 1)), table_entries);
  space.root[window_slot] = table_entry(pointers);
  pointers[0] = table_entry(directory);
  for (uint64_t i = 0; i < tables; ++i) {
    uint64_t* const table = new_table();
    if (!i) space.entries = table;
    directory[i] = table_entry(table);
  }
  return space;
}

static uint64_t do_nothing(uint64_t rounds) {
  for (uint64_t i = 0; i < rounds; ++i) compiler_fence();
  return rounds;
}

struct range {
  uint64_t address, step, count;
};
static void touch_range(void* argument) {
  const struct range* range = argument;
  for (uint64_t i = 0; i < range->count; ++i) touch(range->address + i * range->step);
}

// In ring 3, where the CPU does it whatever KVM is.
static uint64_t do_fresh(uint64_t rounds) {
  struct range range = {(uint64_t)pages, page_size, rounds};
  user_mode_call(touch_range, &range);
  return rounds;
}

static uint64_t large_pages;
static uint64_t do_fresh_2m(uint64_t rounds) {
  if (rounds > large_pages_max) rounds = large_pages_max;
  struct range range = {large_pages, large_page_size, rounds};
  user_mode_call(touch_range, &range);
  return rounds;
}

static uint64_t do_map(uint64_t rounds) {
  if (rounds > window_pages) rounds = window_pages;
  for (uint64_t i = 0; i < rounds; ++i) {
    first.entries[i] = page_entry(i);
    touch(window_address(i));
  }
  return rounds;
}

static uint64_t do_remap(uint64_t rounds) {
  for (uint64_t i = 0; i < rounds; ++i) {
    first.entries[0] = page_entry(i);
    invalidate(window);
    touch(window);
  }
  return rounds;
}

static uint64_t do_protect(uint64_t rounds) {
  for (uint64_t i = 0; i < rounds; ++i) {
    first.entries[0] &= ~entry_writable;
    invalidate(window);
    first.entries[0] |= entry_writable;
    invalidate(window);
    touch(window);
  }
  return rounds;
}

static uint64_t do_cr3_same(uint64_t rounds) {
  const uint64_t same = read_cr3();
  for (uint64_t i = 0; i < rounds; ++i) write_cr3(same);
  return rounds;
}

static void switch_spaces(uint64_t rounds, uint64_t to_first, uint64_t to_second) {
  for (uint64_t i = 0; i < rounds; ++i) {
    write_cr3(i & 1 ? to_first : to_second);
    touch(window);
  }
  write_cr3((uint64_t)first.root);
}

static uint64_t do_cr3_switch(uint64_t rounds) {
  switch_spaces(rounds, (uint64_t)first.root, (uint64_t)second.root);
  return rounds;
}

// Intel SDM vol. 3, 4.10.1: CR4.PCIDE may be set only while the PCID in CR3 is 0.
static uint64_t do_cr3_pcid(uint64_t rounds) {
  write_cr4(read_cr4() | cr4_pcide);
  switch_spaces(rounds, (uint64_t)first.root | 1 | cr3_no_flush, (uint64_t)second.root | 2 | cr3_no_flush);
  write_cr4(read_cr4() & ~cr4_pcide);
  return rounds;
}

static uint64_t do_flush(uint64_t rounds) {
  const uint64_t cr4 = read_cr4();
  for (uint64_t i = 0; i < rounds; ++i) {
    write_cr4(cr4 ^ cr4_pge);
    write_cr4(cr4);
    for (uint64_t page = 0; page < 8; ++page) touch(window_address(page));
  }
  return rounds;
}

static uint64_t do_invlpg(uint64_t rounds) {
  for (uint64_t i = 0; i < rounds; ++i) {
    invalidate(window);
    touch(window);
  }
  return rounds;
}

static const struct op {
  const char* name;
  uint64_t (*rounds)(uint64_t rounds);  // gives how many it did
} ops[] = {
    {"nothing", do_nothing},   {"fresh", do_fresh},       {"fresh-2m", do_fresh_2m},
    {"again", do_fresh},       {"map", do_map},           {"remap", do_remap},
    {"protect", do_protect},   {"cr3-same", do_cr3_same}, {"cr3-switch", do_cr3_switch},
    {"cr3-pcid", do_cr3_pcid}, {"flush", do_flush},       {"invlpg", do_invlpg},
};
enum { op_count = sizeof ops / sizeof ops[0], op_fresh = 1, op_again = 3, op_cr3_pcid = 9 };

static bool has_pcid(void) {
  return cpuid(1).ecx & 1u << 17;
}

static void prepare(const struct guest* guest) {
  memory_initialize(guest);
  pages = memory_take(rounds_wanted * page_size, page_size);
  const uint64_t tables = (rounds_wanted + table_entries - 1) / table_entries;
  window_pages = tables * table_entries;
  first = new_space(tables);
  second = new_space(1);
  large_pages = (uint64_t)memory_take(large_pages_max * large_page_size, large_page_size);
}

// Before the phases that use the window's pages, wherever it is that the chosen ones begin.
static void map_window(unsigned from) {
  enum { pages_in_use = 8 };
  write_cr3((uint64_t)first.root);
  if (from > op_fresh) do_fresh(rounds_wanted);
  for (uint64_t i = 0; i < pages_in_use; ++i) first.entries[i] = page_entry(i);
  second.entries[0] = page_entry(1);
}

static void run(const struct op* op, uint8_t mark) {
  phase_mark(mark);
  exit_window_open();
  const uint64_t began = read_tsc();
  const uint64_t rounds = op->rounds(rounds_wanted);
  const uint64_t cycles = read_tsc() - began;
  phase_mark(mark_end);
  exit_window_close();
  result_begin(op->name);
  result_number("rounds", rounds);
  result_number("cycles", cycles);
  exit_window_result(1);
  result_end();
}

int guest_main(const struct guest* guest) {
  static const char* names[op_count + 2] = {"all"};
  for (unsigned i = 0; i < op_count; ++i) names[i + 1] = ops[i].name;
  const unsigned chosen = option_choice(guest, "op", names);
  rounds_wanted = option_number(guest, "n", 100, 8, 1u << 17);
  prepare(guest);
  exit_window_prepare();
  for (unsigned i = 0; i < op_count; ++i) {
    if (chosen && i != chosen - 1) continue;
    if (i == op_cr3_pcid && !has_pcid()) {
      result_unavailable(ops[i].name, "this CPU, or KVM, has no PCID");
      continue;
    }
    if (i > op_fresh && !first.entries[0]) map_window(chosen ? i : op_fresh);
    run(&ops[i], (uint8_t)(mark_first_op + i));
  }
  return status_ok;
}
