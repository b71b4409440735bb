#include "lib/acpi.h"

#include <stdbool.h>

// ACPI 6.4: 5.2.5.3 (RSDP), 5.2.6 (table header), 5.2.12 (MADT).
struct __attribute__((packed)) rsdp {
  char signature[8];
  uint8_t checksum;
  char oem_id[6];
  uint8_t revision;
  uint32_t rsdt;
  uint32_t length;
  uint64_t xsdt;
};

struct __attribute__((packed)) table_header {
  uint32_t signature;
  uint32_t length;
  uint8_t rest[28];
};
_Static_assert(sizeof(struct table_header) == 36, "5.2.6");

static const uint32_t signature_madt = 0x43495041;  // "APIC"
enum { madt_local_apic = 0, madt_local_x2apic = 9, madt_enabled = 1 };

struct __attribute__((packed)) madt_entry {
  uint8_t type, length;
  union __attribute__((packed)) {
    struct __attribute__((packed)) {
      uint8_t processor, apic_id;
      uint32_t flags;
    } local_apic;
    struct __attribute__((packed)) {
      uint16_t reserved;
      uint32_t apic_id, flags, processor;
    } local_x2apic;
  };
};

static const struct table_header* find_madt(const struct rsdp* rsdp) {
  const bool extended = rsdp->revision >= 2 && rsdp->xsdt;
  const struct table_header* root = (const struct table_header*)(extended ? rsdp->xsdt : rsdp->rsdt);
  const unsigned size = extended ? 8 : 4;
  const char* end = (const char*)root + root->length;
  for (const char* at = (const char*)(root + 1); at + size <= end; at += size) {
    const uint64_t address = extended ? *(const uint64_t*)at : *(const uint32_t*)at;
    const struct table_header* table = (const struct table_header*)address;
    if (table->signature == signature_madt) return table;
  }
  return 0;
}

unsigned acpi_find_cpus(uint64_t rsdp, uint32_t* apic_ids, unsigned most) {
  const struct table_header* madt = rsdp ? find_madt((const struct rsdp*)rsdp) : 0;
  if (!madt) return 0;
  unsigned count = 0;
  const char* end = (const char*)madt + madt->length;
  const char* at = (const char*)(madt + 1) + 8;  // local interrupt controller address, flags
  while (at + 2 <= end) {
    const struct madt_entry* entry = (const struct madt_entry*)at;
    if (entry->length < 2) break;
    uint32_t id = 0, flags = 0;
    if (entry->type == madt_local_apic) {
      id = entry->local_apic.apic_id;
      flags = entry->local_apic.flags;
    } else if (entry->type == madt_local_x2apic) {
      id = entry->local_x2apic.apic_id;
      flags = entry->local_x2apic.flags;
    }
    if (flags & madt_enabled) {
      if (count < most) apic_ids[count] = id;
      ++count;
    }
    at += entry->length;
  }
  return count;
}
