/// The fixed ACPI tables as they lie in memory (ACPI 6.4, chapter 5), fields named as there. All
/// little-endian.
#pragma once

#include <cstdint>

namespace kvmbench::boot::acpi {

/// 5.2.5.3 Root System Description Pointer.
struct [[gnu::packed]] Rsdp {
  char signature[8];
  std::uint8_t checksum;  // of the first 20 bytes
  char oem_id[6];
  std::uint8_t revision;
  std::uint32_t rsdt_address;
  std::uint32_t length;
  std::uint64_t xsdt_address;
  std::uint8_t extended_checksum;  // of all
  std::uint8_t reserved[3];
};
static_assert(sizeof(Rsdp) == 36);

/// 5.2.6 System Description Table Header.
struct [[gnu::packed]] Header {
  char signature[4];
  std::uint32_t length;
  std::uint8_t revision;
  std::uint8_t checksum;
  char oem_id[6];
  char oem_table_id[8];
  std::uint32_t oem_revision;
  char creator_id[4];
  std::uint32_t creator_revision;
};
static_assert(sizeof(Header) == 36);

/// 5.2.3.2 Generic Address Structure.
struct [[gnu::packed]] GenericAddress {
  std::uint8_t address_space_id;
  std::uint8_t register_bit_width;
  std::uint8_t register_bit_offset;
  std::uint8_t access_size;  // 1 byte, 2 word, 3 dword
  std::uint64_t address;
};
inline constexpr std::uint8_t system_io_space = 1;

/// 5.2.9 Fixed ACPI Description Table, revision 6.
struct [[gnu::packed]] Fadt {
  Header header;
  std::uint32_t firmware_ctrl;
  std::uint32_t dsdt;
  std::uint8_t reserved0;
  std::uint8_t preferred_pm_profile;
  std::uint16_t sci_int;
  std::uint32_t smi_cmd;
  std::uint8_t acpi_enable;
  std::uint8_t acpi_disable;
  std::uint8_t s4bios_req;
  std::uint8_t pstate_cnt;
  std::uint32_t pm1a_evt_blk;
  std::uint32_t pm1b_evt_blk;
  std::uint32_t pm1a_cnt_blk;
  std::uint32_t pm1b_cnt_blk;
  std::uint32_t pm2_cnt_blk;
  std::uint32_t pm_tmr_blk;
  std::uint32_t gpe0_blk;
  std::uint32_t gpe1_blk;
  std::uint8_t pm1_evt_len;
  std::uint8_t pm1_cnt_len;
  std::uint8_t pm2_cnt_len;
  std::uint8_t pm_tmr_len;
  std::uint8_t gpe0_blk_len;
  std::uint8_t gpe1_blk_len;
  std::uint8_t gpe1_base;
  std::uint8_t cst_cnt;
  std::uint16_t p_lvl2_lat;
  std::uint16_t p_lvl3_lat;
  std::uint16_t flush_size;
  std::uint16_t flush_stride;
  std::uint8_t duty_offset;
  std::uint8_t duty_width;
  std::uint8_t day_alrm;
  std::uint8_t mon_alrm;
  std::uint8_t century;
  std::uint16_t iapc_boot_arch;
  std::uint8_t reserved1;
  std::uint32_t flags;
  GenericAddress reset_reg;
  std::uint8_t reset_value;
  std::uint16_t arm_boot_arch;
  std::uint8_t fadt_minor_version;
  std::uint64_t x_firmware_ctrl;
  std::uint64_t x_dsdt;
  GenericAddress x_pm1a_evt_blk;
  GenericAddress x_pm1b_evt_blk;
  GenericAddress x_pm1a_cnt_blk;
  GenericAddress x_pm1b_cnt_blk;
  GenericAddress x_pm2_cnt_blk;
  GenericAddress x_pm_tmr_blk;
  GenericAddress x_gpe0_blk;
  GenericAddress x_gpe1_blk;
  GenericAddress sleep_control_reg;
  GenericAddress sleep_status_reg;
  std::uint64_t hypervisor_vendor_identity;
};
static_assert(sizeof(Fadt) == 276);

/// Table 5.10, Fixed ACPI Description Table fixed feature flags.
namespace fadt_flag {
inline constexpr std::uint32_t wbinvd = 1 << 0;
inline constexpr std::uint32_t proc_c1 = 1 << 2;
inline constexpr std::uint32_t slp_button =
    1 << 5;  // set: no fixed sleep button (PWR_BUTTON clear: there is one)
inline constexpr std::uint32_t fix_rtc = 1 << 6;      // set: no RTC wake-up status in the fixed registers
inline constexpr std::uint32_t tmr_val_ext = 1 << 8;  // PM_TMR has 32 bits, not 24
inline constexpr std::uint32_t reset_reg_sup = 1 << 10;
}  // namespace fadt_flag

/// Table 5.11, IA-PC boot architecture flags.
namespace boot_arch {
inline constexpr std::uint16_t legacy_devices = 1 << 0;
inline constexpr std::uint16_t i8042 = 1 << 1;
inline constexpr std::uint16_t vga_not_present = 1 << 2;
}  // namespace boot_arch

/// 5.2.10 Firmware ACPI Control Structure.
struct [[gnu::packed]] Facs {
  char signature[4];
  std::uint32_t length;
  std::uint32_t hardware_signature;
  std::uint32_t firmware_waking_vector;
  std::uint32_t global_lock;
  std::uint32_t flags;
  std::uint64_t x_firmware_waking_vector;
  std::uint8_t version;
  std::uint8_t reserved0[3];
  std::uint32_t ospm_flags;
  std::uint8_t reserved1[24];
};
static_assert(sizeof(Facs) == 64);

/// 5.2.12 Multiple APIC Description Table, before its list of structures.
struct [[gnu::packed]] Madt {
  Header header;
  std::uint32_t local_interrupt_controller_address;
  std::uint32_t flags;
};
inline constexpr std::uint32_t pcat_compat = 1 << 0;

struct [[gnu::packed]] ProcessorLocalApic {
  std::uint8_t type = 0;
  std::uint8_t length = 8;
  std::uint8_t acpi_processor_uid;
  std::uint8_t apic_id;
  std::uint32_t flags = 1;  // enabled
};

struct [[gnu::packed]] IoApic {
  std::uint8_t type = 1;
  std::uint8_t length = 12;
  std::uint8_t io_apic_id;
  std::uint8_t reserved = 0;
  std::uint32_t io_apic_address;
  std::uint32_t global_system_interrupt_base;
};

struct [[gnu::packed]] InterruptSourceOverride {
  std::uint8_t type = 2;
  std::uint8_t length = 10;
  std::uint8_t bus = 0;  // ISA
  std::uint8_t source;
  std::uint32_t global_system_interrupt;
  std::uint16_t flags;
};

struct [[gnu::packed]] LocalApicNmi {
  std::uint8_t type = 4;
  std::uint8_t length = 6;
  std::uint8_t acpi_processor_uid;
  std::uint16_t flags;
  std::uint8_t local_apic_lint;
};

struct [[gnu::packed]] ProcessorLocalX2Apic {
  std::uint8_t type = 9;
  std::uint8_t length = 16;
  std::uint16_t reserved = 0;
  std::uint32_t x2apic_id;
  std::uint32_t flags = 1;  // enabled
  std::uint32_t acpi_processor_uid;
};

struct [[gnu::packed]] LocalX2ApicNmi {
  std::uint8_t type = 10;
  std::uint8_t length = 12;
  std::uint16_t flags;
  std::uint32_t acpi_processor_uid;
  std::uint8_t local_x2apic_lint;
  std::uint8_t reserved[3] = {};
};

/// Table 5.26, MPS INTI flags.
inline constexpr std::uint16_t conforms_to_bus = 0;
inline constexpr std::uint16_t active_high_level = 0x1 | 0x3 << 2;

}  // namespace kvmbench::boot::acpi
