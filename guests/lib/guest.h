/// What every guest program starts and ends with.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/// Exit statuses, which kvmbench gives on as its own (2 to 7 and 124 mean something else there).
enum {
  status_ok = 0,
  status_failed = 1,  ///< a bad option, or something the guest needs is missing; a line on serial says what
  status_exception = 10,   ///< the CPU raised an exception
  status_wrong_data = 11,  ///< what a device brought is not what was sent; a line on serial says where
};

enum { port_phase_mark = 0x80, port_debug_exit = 0xf4 };

/// Nobody answers at these, in kvmbench or in QEMU (-M microvm; -M pc with less than 3 GiB of memory).
enum { port_unclaimed = 0x2f00, port_unclaimed_string = 0x2f01 };
static const uint64_t address_unclaimed_read = 0xdf000000;
static const uint64_t address_unclaimed_write = 0xdf000004;

/// A word `key=value` of the command line. The texts are not ended by a NUL.
struct option {
  const char *key, *value;
  unsigned key_length, value_length;
};

enum { options_max = 48 };

/// Of the memory map that the machine hands over (Xen's struct hvm_memmap_table_entry).
struct memory_range {
  uint64_t address, size;
  uint32_t type, reserved;
};

struct guest {
  unsigned option_count;
  struct option options[options_max];
  uint64_t rsdp;  ///< physical address of ACPI's RSDP, 0 if there is none
  const struct memory_range* memory_map;
  unsigned memory_map_entries;  ///< 0 where the machine gave none
};

/// Each guest program defines these: the keys it knows, ended by a null pointer, and its work; the result is
/// the exit status. Interrupts are off.
extern const char* const guest_option_keys[];
int guest_main(const struct guest* guest);

/// Null if it was not given.
const struct option* option_find(const struct guest* guest, const char* key);

/// The option's decimal or 0x value, or `otherwise`. What is no number from `least` to `most` ends the guest.
uint64_t option_number(const struct guest* guest, const char* key, uint64_t otherwise, uint64_t least,
                       uint64_t most);

/// The decimal or 0x number from *at on, up to `after` or the end, where *at is left. False where there is
/// none.
bool parse_number(const char** at, const char* end, char after, uint64_t* value);

/// Those of a list with commas, or of `otherwise` where the option was not given; how many there are. More
/// than `most_values`, or one that is not from `least` to `most`, end the guest.
unsigned option_numbers(const struct guest* guest, const char* key, const char* otherwise, uint64_t* values,
                        unsigned most_values, uint64_t least, uint64_t most);

/// Which of these values, a list ended by a null pointer, the option has; the first is the default.
unsigned option_choice(const struct guest* guest, const char* key, const char* const* values);

bool option_has_key(const struct option* option, const char* key);
bool option_is(const struct option* option, const char* value);

/// The word from *at on of an option's value, a list with commas, as an option with that value; *at is left
/// behind it. From 0 on; false where there is none any more, or no option.
bool option_next_word(const struct option* list, unsigned* at, struct option* word);

/// Prints the message and the option, and ends with status_failed.
__attribute__((noreturn)) void option_fail(const char* message, const struct option* option);

/// Ends the machine: by the debug exit port, or else by ACPI's soft-off; does not return in any case.
__attribute__((noreturn)) void guest_exit(int status);

/// Prints a line and ends with status_failed.
__attribute__((noreturn)) void guest_fail(const char* message);

/// Begins a phase of the host's report.
void phase_mark(uint8_t value);
