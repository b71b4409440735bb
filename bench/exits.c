// The guest of the benchmarks: batches of exits of one kind, each loop as tight as it can be, and what each
// batch took by the guest's own TSC, so that a host's start-up is no part of it.
//
//   kind=K     port (default; nobody answers), mmio (nobody answers), serial (carriage returns)
//   batch=N    exits a batch (default 64)
//   batches=N  (default 1)
//
// Prints a line "cycles C" for each batch.
#include "lib/cpu.h"
#include "lib/guest.h"
#include "lib/print.h"

const char* const guest_option_keys[] = {"kind", "batch", "batches", 0};

typedef void batch_function(uint64_t count);

static void write_port(uint64_t count) {
  for (; count != 0; --count) out8(port_unclaimed, 0);
}

static void write_mmio(uint64_t count) {
  for (; count != 0; --count) mmio_write32(address_unclaimed_write, 0);
}

static void write_serial(uint64_t count) {
  for (; count != 0; --count) out8(port_serial_data, '\r');
}

static batch_function* chosen_kind(const struct guest* guest) {
  const struct option* kind = option_find(guest, "kind");
  if (!kind) return write_port;
  switch (kind->value_length != 0 ? kind->value[0] : '\0') {
    case 'p':
      return write_port;
    case 'm':
      return write_mmio;
    case 's':
      return write_serial;
    default:
      guest_fail("kind=: port, mmio or serial");
  }
}

int guest_main(const struct guest* guest) {
  batch_function* const run_batch = chosen_kind(guest);
  const uint64_t batch = option_number(guest, "batch", 64, 1, UINT32_MAX);
  const uint64_t batches = option_number(guest, "batches", 1, 1, UINT32_MAX);
  for (uint64_t i = 0; i < batches; ++i) {
    const uint64_t begin = read_tsc();
    run_batch(batch);
    const uint64_t cycles = read_tsc() - begin;
    print_text("cycles ");
    print_number(cycles);
    print_line("");
  }
  return status_ok;
}
