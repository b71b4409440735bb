#include "lib/io_apic.h"

#include "lib/apic.h"
#include "lib/cpu.h"

enum { pins = 24, register_redirection = 0x10 };
static const uint64_t first_io_apic = 0xfec00000, second_io_apic = 0xfec10000;

// IOREGSEL and IOWIN.
static void write_register(uint64_t base, uint32_t number, uint32_t value) {
  mmio_write32(base, number);
  mmio_write32(base + 0x10, value);
}

void io_apic_route(unsigned gsi, uint8_t vector, enum io_apic_trigger trigger) {
  const uint64_t base = gsi < pins ? first_io_apic : second_io_apic;
  const uint32_t redirection = register_redirection + 2 * (gsi % pins);
  write_register(base, redirection + 1, apic_id() << 24);
  write_register(base, redirection, (uint32_t)trigger << 15 | vector);
}
