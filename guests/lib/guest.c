#include "lib/guest.h"

#include "lib/cpu.h"
#include "lib/interrupts.h"
#include "lib/print.h"
#include "lib/user_mode.h"

// Xen's public/arch-x86/hvm/start_info.h.
struct hvm_start_info {
  uint32_t magic, version, flags, module_count;
  uint64_t modules, command_line, rsdp;
  uint64_t memory_map;  // from version 1 on
  uint32_t memory_map_entries, reserved;
};
static const uint32_t start_info_magic = 0x336ec578;

__attribute__((noreturn)) void runtime_start(const struct hvm_start_info* info);

static bool equal(const char* text, unsigned length, const char* with) {
  for (unsigned i = 0; i < length; ++i)
    if (with[i] != text[i]) return false;  // the NUL of a shorter `with` differs too
  return with[length] == '\0';
}

static bool contains(const char* text, unsigned length, char wanted) {
  for (unsigned i = 0; i < length; ++i)
    if (text[i] == wanted) return true;
  return false;
}

void option_fail(const char* message, const struct option* option) {
  print_text(message);
  print_bytes(option->key, option->key_length);
  print_text("=");
  print_bytes(option->value, option->value_length);
  print_line("");
  guest_exit(status_failed);
}

bool option_has_key(const struct option* option, const char* key) {
  return equal(option->key, option->key_length, key);
}

bool option_is(const struct option* option, const char* value) {
  return equal(option->value, option->value_length, value);
}

bool option_next_word(const struct option* list, unsigned* at, struct option* word) {
  if (!list || *at > list->value_length) return false;
  *word = *list;
  word->value += *at;
  word->value_length = 0;
  while (*at < list->value_length && list->value[*at] != ',') {
    ++*at;
    ++word->value_length;
  }
  ++*at;
  return true;
}

// Keys with a dot in them are meant for drivers of a Linux guest: QEMU's microvm adds virtio_mmio.device=...
static void check_key(const struct option* option) {
  if (contains(option->key, option->key_length, '.')) return;
  for (const char* const* known = guest_option_keys; *known; ++known)
    if (option_has_key(option, *known)) return;
  option_fail("this guest has no such option: ", option);
}

static void parse_command_line(struct guest* guest, const char* at) {
  while (*at == ' ') ++at;
  while (*at) {
    struct option option = {.key = at};
    while (*at && *at != ' ' && *at != '=') ++at;
    option.key_length = (unsigned)(at - option.key);
    if (*at == '=') ++at;
    option.value = at;
    while (*at && *at != ' ') ++at;
    option.value_length = (unsigned)(at - option.value);
    while (*at == ' ') ++at;

    check_key(&option);
    if (guest->option_count == options_max) guest_fail("too many options");
    guest->options[guest->option_count++] = option;
  }
}

void runtime_start(const struct hvm_start_info* info) {
  static struct guest guest;
  interrupts_initialize();
  if (info->magic != start_info_magic)
    guest_fail("this guest is to be entered by PVH: EBX is no hvm_start_info");
  guest.rsdp = info->rsdp;
  if (info->version >= 1) {
    guest.memory_map = (const struct memory_range*)info->memory_map;
    guest.memory_map_entries = info->memory_map_entries;
  }
  if (info->command_line) parse_command_line(&guest, (const char*)info->command_line);
  guest_exit(guest_main(&guest));
}

const struct option* option_find(const struct guest* guest, const char* key) {
  for (unsigned i = 0; i < guest->option_count; ++i)
    if (option_has_key(&guest->options[i], key)) return &guest->options[i];
  return 0;
}

static unsigned digit_value(char digit) {
  if (digit >= '0' && digit <= '9') return (unsigned)(digit - '0');
  if (digit >= 'a' && digit <= 'f') return (unsigned)(digit - 'a') + 10;
  if (digit >= 'A' && digit <= 'F') return (unsigned)(digit - 'A') + 10;
  return ~0u;
}

bool parse_number(const char** at, const char* end, char after, uint64_t* value) {
  const bool prefix = end - *at > 2 && (*at)[0] == '0' && ((*at)[1] | 0x20) == 'x';
  const unsigned base = prefix ? 16 : 10;
  if (prefix) *at += 2;
  const char* const begin = *at;
  *value = 0;
  for (; *at != end && **at != after; ++*at) {
    const unsigned digit = digit_value(**at);
    if (digit >= base || __builtin_mul_overflow(*value, base, value) ||
        __builtin_add_overflow(*value, digit, value))
      return false;
  }
  return *at != begin;
}

uint64_t option_number(const struct guest* guest, const char* key, uint64_t otherwise, uint64_t least,
                       uint64_t most) {
  const struct option* option = option_find(guest, key);
  if (!option) return otherwise;
  const char* at = option->value;
  uint64_t value;
  if (!parse_number(&at, at + option->value_length, '\0', &value)) option_fail("not a number: ", option);
  if (value < least || value > most) option_fail("out of range: ", option);
  return value;
}

unsigned option_numbers(const struct guest* guest, const char* key, const char* otherwise, uint64_t* values,
                        unsigned most_values, uint64_t least, uint64_t most) {
  struct option given = {.key = key, .value = otherwise};
  while (key[given.key_length]) ++given.key_length;
  while (otherwise[given.value_length]) ++given.value_length;
  const struct option* option = option_find(guest, key);
  if (!option) option = &given;
  const char* at = option->value;
  const char* const end = at + option->value_length;
  for (unsigned count = 0;;) {
    if (count == most_values) option_fail("too many numbers: ", option);
    if (!parse_number(&at, end, ',', &values[count])) option_fail("not a list of numbers: ", option);
    if (values[count] < least || values[count] > most) option_fail("out of range: ", option);
    ++count;
    if (at++ == end) return count;
  }
}

unsigned option_choice(const struct guest* guest, const char* key, const char* const* values) {
  const struct option* option = option_find(guest, key);
  if (!option) return 0;
  for (unsigned i = 0; values[i]; ++i)
    if (option_is(option, values[i])) return i;
  print_text("not one of");
  for (unsigned i = 0; values[i]; ++i) {
    print_text(" ");
    print_text(values[i]);
  }
  option_fail(": ", option);
}

void guest_exit(int status) {
  disable_interrupts();
  out32(port_debug_exit, (uint32_t)status);

  // Only a machine without the debug exit port gets here. Soft-off, S5, by PM1a_CNT with SLP_EN
  // (ACPI 6.4, 4.8.3.2.1): SLP_TYP is 5 in kvmbench, 0 in QEMU's -M pc.
  const uint16_t pm1a_control = 0x604;
  out16(pm1a_control, 0x3400);
  out16(pm1a_control, 0x2000);
  for (;;) halt();
}

static const char* failure;

static void fail(void) {
  print_line(failure);
  guest_exit(status_failed);
}

void guest_fail(const char* message) {
  failure = message;
  user_mode_abandon(fail);
}

void phase_mark(uint8_t value) {
  out8(port_phase_mark, value);
}
