// @touch: reaches for a page of memory that the host may have protected or watched, in all ways there are.
//
//   at=ADDRESS  its guest-physical address (default 0x1000000); the page behind it is touched too
//   kinds=A,B   only these (default all but fetch):
//               read1 read2 read4 read8 write1 write2 write4 write8 add xchg string push alias moved user
//               loop fetch
//   n=ROUNDS    of loop, writes of 8 bytes that go round the two pages (default 100)
//
// Each kind is a phase of its own, marked by 0x70 (read1) to 0x80 (fetch) on port 0x80; 0x6f ends the last
// one. Behind them a line for each: what was read last (loop: its cycles), the machine checks that came and
// the address that the last one named.
#include "lib/cpu.h"
#include "lib/guest.h"
#include "lib/interrupts.h"
#include "lib/page_map.h"
#include "lib/print.h"
#include "lib/user_mode.h"

const char* const guest_option_keys[] = {"at", "kinds", "n", 0};

enum { mark_first_kind = 0x70, mark_end = 0x6f, vector_machine_check = 18 };
enum { msr_mcg_status = 0x17a, msr_mc0_status = 0x401, msr_mc0_addr = 0x402 };

static uint64_t page;
static uint64_t rounds;
static uint64_t pattern = 0x1122334455667788;

// Machine checks
// ------------------------------------------------------------------------------------------------------

static volatile unsigned checks;
static volatile uint64_t checked_address;

__attribute__((interrupt)) static void on_machine_check(struct interrupt_frame* frame) {
  (void)frame;
  uint32_t low, high;
  asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr_mc0_addr));
  checked_address = (uint64_t)high << 32 | low;
  ++checks;
  asm volatile("wrmsr" : : "c"(msr_mc0_status), "a"(0), "d"(0));
  asm volatile("wrmsr" : : "c"(msr_mcg_status), "a"(0), "d"(0));
}

static void enable_machine_checks(void) {
  const uint64_t cr4_mce = 1u << 6;
  uint64_t cr4;
  if (!(cpuid(1).edx & 1u << 7)) return;
  interrupts_set_handler(vector_machine_check, on_machine_check);
  asm volatile("mov %%cr4, %0" : "=r"(cr4));
  asm volatile("mov %0, %%cr4" : : "r"(cr4 | cr4_mce));
}

// Kinds
// --------------------------------------------------------------------------------------------------------------

static uint64_t do_read1(void) {
  return *(volatile const uint8_t*)page;
}
static uint64_t do_read2(void) {
  return *(volatile const uint16_t*)(page + 2);
}
static uint64_t do_read4(void) {
  return *(volatile const uint32_t*)(page + 4);
}
static uint64_t do_read8(void) {
  return *(volatile const uint64_t*)(page + 8);
}
static uint64_t do_write1(void) {
  *(volatile uint8_t*)(page + 16) = (uint8_t)pattern;
  return 0;
}
static uint64_t do_write2(void) {
  *(volatile uint16_t*)(page + 18) = (uint16_t)pattern;
  return 0;
}
static uint64_t do_write4(void) {
  *(volatile uint32_t*)(page + 20) = (uint32_t)pattern;
  return 0;
}
static uint64_t do_write8(void) {
  *(volatile uint64_t*)(page + 24) = pattern;
  return 0;
}
static uint64_t do_add(void) {
  asm volatile("addl %1, %0" : "+m"(*(volatile uint32_t*)(page + 32)) : "r"(5));
  return 0;
}
static uint64_t do_xchg(void) {
  uint32_t value = (uint32_t)pattern;
  asm volatile("xchgl %0, %1" : "+r"(value), "+m"(*(volatile uint32_t*)(page + 36)));
  return value;
}
// Eight bytes, the last four of them in the page behind.
static uint64_t do_string(void) {
  void* to = (void*)(page + page_bytes - 4);
  uint64_t count = 8;
  asm volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(0x5a) : "memory");
  return 0;
}
static uint64_t do_push(void) {
  asm volatile(
      "mov %%rsp, %%r8\n\t"
      "mov %0, %%rsp\n\t"
      "push %1\n\t"
      "mov %%r8, %%rsp"
      :
      : "r"(page + 64), "r"(pattern)
      : "r8", "memory");
  return 0;
}

// By another linear address.
static uint64_t do_alias(void) {
  const uint64_t alias = page_map(0, page, page_writable);
  *(volatile uint32_t*)(alias + 80) = (uint32_t)pattern;
  return *(volatile const uint32_t*)(alias + 80);
}

// The same linear address is first another page, and then this one, by an edit of its entry.
static uint64_t do_moved(void) {
  static uint8_t own[page_bytes] __attribute__((aligned(4096)));
  const uint64_t linear = page_map(1, (uint64_t)own, page_writable);
  *(volatile uint32_t*)(linear + 84) = 1;
  page_map(1, page, page_writable);
  *(volatile uint32_t*)(linear + 84) = (uint32_t)pattern;
  return *(volatile const uint32_t*)(linear + 84);
}

static void in_user_mode(void* value) {
  *(volatile uint32_t*)(page + 88) = (uint32_t)pattern;
  *(uint64_t*)value = *(volatile const uint32_t*)(page + 88);
}
static uint64_t do_user(void) {
  uint64_t value;
  user_mode_call(in_user_mode, &value);
  return value;
}

static uint64_t do_loop(void) {
  enum { step = 64, span = 2 * page_bytes };
  const uint64_t began = read_tsc();
  for (uint64_t i = 0; i < rounds; ++i)
    *(volatile uint64_t*)(page + i * (page_bytes + step) % span / 8 * 8) = i;
  return read_tsc() - began;
}

// What is there is a RET where the host has let it be written.
static uint64_t do_fetch(void) {
  *(volatile uint8_t*)(page + 128) = 0xc3;
  ((void (*)(void))(page + 128))();
  return 0;
}

static const struct kind {
  const char* name;
  uint64_t (*touch)(void);
} kinds[] = {
    {"read1", do_read1},   {"read2", do_read2},   {"read4", do_read4},   {"read8", do_read8},
    {"write1", do_write1}, {"write2", do_write2}, {"write4", do_write4}, {"write8", do_write8},
    {"add", do_add},       {"xchg", do_xchg},     {"string", do_string}, {"push", do_push},
    {"alias", do_alias},   {"moved", do_moved},   {"user", do_user},     {"loop", do_loop},
    {"fetch", do_fetch},
};
enum { kind_count = sizeof kinds / sizeof kinds[0], kind_fetch = kind_count - 1 };

static bool is_wanted(const struct option* list, unsigned kind) {
  if (!list) return kind != kind_fetch;
  struct option word;
  unsigned at = 0;
  while (option_next_word(list, &at, &word))
    if (option_is(&word, kinds[kind].name)) return true;
  return false;
}

static void print_word(const char* key, uint64_t value) {
  print_text(key);
  print_number(value);
}

int guest_main(const struct guest* guest) {
  static uint64_t values[kind_count];
  static unsigned checks_of[kind_count];
  static uint64_t checked[kind_count];
  const struct option* list = option_find(guest, "kinds");
  page = option_number(guest, "at", 0x1000000, 0x400000, 0xbfffe000) & ~(uint64_t)(page_bytes - 1);
  rounds = option_number(guest, "n", 100, 1, 1u << 24);
  enable_machine_checks();
  for (unsigned i = 0; i < kind_count; ++i) {
    if (!is_wanted(list, i)) continue;
    phase_mark((uint8_t)(mark_first_kind + i));
    checks = 0;
    checked_address = 0;
    values[i] = kinds[i].touch();
    checks_of[i] = checks;
    checked[i] = checked_address;
  }
  phase_mark(mark_end);
  for (unsigned i = 0; i < kind_count; ++i) {
    if (!is_wanted(list, i)) continue;
    print_text("result arm=");
    print_text(kinds[i].name);
    print_word(kinds[i].touch == do_loop ? " cycles=" : " value=", values[i]);
    print_word(" checks=", checks_of[i]);
    print_word(" checked=", checked[i]);
    print_line("");
  }
  return status_ok;
}
