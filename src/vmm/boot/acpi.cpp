#include "vmm/boot/acpi.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <numeric>
#include <span>
#include <stdexcept>
#include <vector>

#include "base/error.hpp"
#include "memory/memory_map.hpp"
#include "vmm/boot/acpi_tables.hpp"
#include "vmm/boot/load_plan.hpp"

// dsdt.asl, compiled at build time.
extern "C" const std::byte kvmbench_dsdt[];
extern "C" const std::byte kvmbench_dsdt_end[];
// virtio.asl, likewise.
extern "C" const std::byte kvmbench_virtio_ssdt[];
extern "C" const std::byte kvmbench_virtio_ssdt_end[];

namespace kvmbench::boot {
namespace {

using namespace acpi;

constexpr std::uint64_t area_size = memory_map::bios_area_end.value - memory_map::acpi_tables.value;
constexpr std::uint64_t table_alignment = 64;  // what the FACS needs (5.2.10)

// The ACPI PM registers and the reset control register, as src/devices has them.
constexpr std::uint16_t sci_irq = 9;
constexpr std::uint32_t pm1a_event_port = 0x600;
constexpr std::uint32_t pm1a_control_port = 0x604;
constexpr std::uint32_t pm_timer_port = 0x608;
constexpr std::uint64_t reset_port = 0xcf9;
constexpr std::uint8_t reset_value = 0x06;  // hard reset: SYS_RST and RST_CPU
constexpr std::uint8_t cmos_century = 0x32;

constexpr std::uint32_t first_x2apic_id = 255;  // local APIC IDs are 8 bits, and 255 means all
constexpr std::uint8_t nmi_lint = 1;

/// The sum of all bytes of a table is 0; this is the byte that makes it so.
std::uint8_t checksum(std::span<const std::byte> bytes) {
  const unsigned sum = std::accumulate(bytes.begin(), bytes.end(), 0U, [](unsigned total, std::byte byte) {
    return total + std::to_integer<unsigned>(byte);
  });
  return static_cast<std::uint8_t>(0U - sum);
}

Header header(const char (&signature)[5], std::uint8_t revision) {
  Header header{};
  std::memcpy(header.signature, signature, sizeof header.signature);
  header.revision = revision;
  std::memcpy(header.oem_id, "KVMBCH", sizeof header.oem_id);
  std::memcpy(header.oem_table_id, "KVMBENCH", sizeof header.oem_table_id);
  header.oem_revision = 1;
  std::memcpy(header.creator_id, "KVMB", sizeof header.creator_id);
  header.creator_revision = 1;
  return header;
}

/// Sets the length and checksum in the header of a whole table.
std::vector<std::byte> finished(std::vector<std::byte> table) {
  const auto length = static_cast<std::uint32_t>(table.size());
  std::memcpy(table.data() + offsetof(Header, length), &length, sizeof length);
  table[offsetof(Header, checksum)] = std::byte{checksum(table)};
  return table;
}

template <class T>
void append(std::vector<std::byte>& to, const T& value) {
  const auto bytes = bytes_of(value);
  to.insert(to.end(), bytes.begin(), bytes.end());
}

GenericAddress io_register(std::uint64_t port, std::uint8_t bits, std::uint8_t access_size) {
  return {system_io_space, bits, 0, access_size, port};
}

std::vector<std::byte> facs() {
  Facs facs{};
  std::memcpy(facs.signature, "FACS", sizeof facs.signature);
  facs.length = sizeof facs;
  facs.version = 2;
  return bytes_of(facs);
}

std::vector<std::byte> fadt(Gpa facs, Gpa dsdt) {
  Fadt fadt{};
  fadt.header = header("FACP", 6);
  fadt.fadt_minor_version = 4;
  fadt.firmware_ctrl = static_cast<std::uint32_t>(facs.value);
  fadt.dsdt = static_cast<std::uint32_t>(dsdt.value);
  fadt.x_dsdt = dsdt.value;  // X_FIRMWARE_CTRL stays 0 where FIRMWARE_CTRL is set (table 5.9)
  fadt.sci_int = sci_irq;
  // SMI_CMD 0: ACPI mode is always on.
  fadt.pm1a_evt_blk = pm1a_event_port;
  fadt.pm1a_cnt_blk = pm1a_control_port;
  fadt.pm_tmr_blk = pm_timer_port;
  fadt.pm1_evt_len = 4;
  fadt.pm1_cnt_len = 2;
  fadt.pm_tmr_len = 4;
  fadt.x_pm1a_evt_blk = io_register(pm1a_event_port, 32, 2);
  fadt.x_pm1a_cnt_blk = io_register(pm1a_control_port, 16, 2);
  fadt.x_pm_tmr_blk = io_register(pm_timer_port, 32, 3);
  fadt.p_lvl2_lat = 101;   // above 100 µs: no C2
  fadt.p_lvl3_lat = 1001;  // above 1000 µs: no C3
  fadt.century = cmos_century;
  fadt.iapc_boot_arch = boot_arch::legacy_devices | boot_arch::i8042 | boot_arch::vga_not_present;
  fadt.flags = fadt_flag::wbinvd | fadt_flag::proc_c1 | fadt_flag::slp_button | fadt_flag::fix_rtc |
               fadt_flag::tmr_val_ext | fadt_flag::reset_reg_sup;
  fadt.reset_reg = io_register(reset_port, 8, 1);
  fadt.reset_value = reset_value;
  return finished(bytes_of(fadt));
}

std::vector<std::byte> madt(const AcpiOptions& options) {
  Madt fixed{header("APIC", 5), static_cast<std::uint32_t>(memory_map::local_apic.value),
             options.pic ? pcat_compat : 0};
  std::vector<std::byte> table = bytes_of(fixed);
  for (std::uint32_t id = 0; id < options.cpus; ++id) {
    if (id < first_x2apic_id) {
      append(table, ProcessorLocalApic{.acpi_processor_uid = static_cast<std::uint8_t>(id),
                                       .apic_id = static_cast<std::uint8_t>(id)});
    } else {
      append(table, ProcessorLocalX2Apic{.x2apic_id = id, .acpi_processor_uid = id});
    }
  }
  append(table,
         LocalApicNmi{.acpi_processor_uid = 0xff, .flags = conforms_to_bus, .local_apic_lint = nmi_lint});
  if (options.cpus > first_x2apic_id) {
    append(table,
           LocalX2ApicNmi{
               .flags = conforms_to_bus, .acpi_processor_uid = 0xffff'ffff, .local_x2apic_lint = nmi_lint});
  }
  if (options.io_apic) {
    append(table, IoApic{.io_apic_id = 0,
                         .io_apic_address = static_cast<std::uint32_t>(memory_map::io_apic.value),
                         .global_system_interrupt_base = 0});
    append(table,
           InterruptSourceOverride{.source = 0, .global_system_interrupt = 2, .flags = conforms_to_bus});
    append(table, InterruptSourceOverride{
                      .source = sci_irq, .global_system_interrupt = sci_irq, .flags = active_high_level});
  }
  return finished(std::move(table));
}

/// virtio.asl with the number of slots in use put in: a DWord constant named SLTS (ACPI 6.4, 20.2.5.1).
std::vector<std::byte> virtio_ssdt(std::uint32_t slots) {
  constexpr std::array<std::uint8_t, 6> name_of_slots = {0x08, 'S', 'L', 'T', 'S', 0x0c};
  std::vector<std::byte> table(kvmbench_virtio_ssdt, kvmbench_virtio_ssdt_end);
  const auto found =
      std::search(table.begin(), table.end(), name_of_slots.begin(), name_of_slots.end(),
                  [](std::byte a, std::uint8_t b) { return std::to_integer<std::uint8_t>(a) == b; });
  if (table.end() - found < std::ptrdiff_t{name_of_slots.size() + sizeof slots}) {
    throw std::logic_error("virtio.asl has no DWord SLTS");
  }
  std::memcpy(&*found + name_of_slots.size(), &slots, sizeof slots);
  table[offsetof(Header, checksum)] = std::byte{0};
  return finished(std::move(table));
}

std::vector<std::byte> xsdt(const std::vector<Gpa>& tables) {
  std::vector<std::byte> table = bytes_of(header("XSDT", 1));
  for (const Gpa at : tables) append(table, at.value);
  return finished(std::move(table));
}

std::vector<std::byte> rsdp(Gpa xsdt) {
  Rsdp rsdp{};
  std::memcpy(rsdp.signature, "RSD PTR ", sizeof rsdp.signature);
  std::memcpy(rsdp.oem_id, "KVMBCH", sizeof rsdp.oem_id);
  rsdp.revision = 2;
  rsdp.length = sizeof rsdp;
  rsdp.xsdt_address = xsdt.value;
  rsdp.checksum = checksum(std::as_bytes(std::span(&rsdp, 1)).first(offsetof(Rsdp, length)));
  rsdp.extended_checksum = checksum(std::as_bytes(std::span(&rsdp, 1)));
  return bytes_of(rsdp);
}

/// The tables one after the other, in the area that they share.
class TableArea final {
 public:
  [[nodiscard]] Gpa add(std::span<const std::byte> table) {
    bytes_.resize((bytes_.size() + table_alignment - 1) & ~(table_alignment - 1));
    const Gpa at = memory_map::acpi_tables + bytes_.size();
    bytes_.insert(bytes_.end(), table.begin(), table.end());
    return at;
  }
  /// What is there already, such as the room that was left for the RSDP.
  void replace_first(std::span<const std::byte> table) {
    std::memcpy(bytes_.data(), table.data(), table.size());
  }
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace

Gpa write_acpi_tables(const AcpiOptions& options, GuestMemory& memory) {
  TableArea area;
  const Gpa root = area.add(std::vector<std::byte>(sizeof(Rsdp)));
  const Gpa facs_at = area.add(facs());
  const Gpa dsdt_at = area.add({kvmbench_dsdt, kvmbench_dsdt_end});
  const Gpa fadt_at = area.add(fadt(facs_at, dsdt_at));
  std::vector<Gpa> listed{fadt_at, area.add(madt(options))};
  if (options.virtio_slots > 0) listed.push_back(area.add(virtio_ssdt(options.virtio_slots)));
  area.replace_first(rsdp(area.add(xsdt(listed))));
  if (area.bytes().size() > area_size || !memory.write(root, area.bytes())) {
    throw UsageError(
        fmt::format("{} CPUs: their ACPI tables need {} bytes, more than the {} there are; use fewer",
                    options.cpus, area.bytes().size(), area_size));
  }
  return root;
}

}  // namespace kvmbench::boot
