// Expected values: ACPI 6.4, chapter 5; offsets are those of its tables.
#include "vmm/boot/acpi.hpp"

#include <fmt/format.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "devices/pci_routing.hpp"
#include "images.hpp"

namespace kvmbench::boot::test {
namespace {

/// The tables of one machine, found from the RSDP as an operating system finds them.
class Tables final {
 public:
  explicit Tables(const AcpiOptions& options)
      : memory_(16 * mib), rsdp_(write_acpi_tables(options, memory_).value) {}

  [[nodiscard]] std::uint64_t rsdp() const { return rsdp_; }
  [[nodiscard]] std::uint64_t xsdt() const { return get<std::uint64_t>(rsdp_ + 24); }
  [[nodiscard]] std::uint64_t fadt() const { return entry("FACP"); }
  [[nodiscard]] std::uint64_t madt() const { return entry("APIC"); }
  [[nodiscard]] std::uint64_t ssdt() const { return entry("SSDT"); }
  [[nodiscard]] std::uint64_t dsdt() const { return get<std::uint64_t>(fadt() + 140); }
  [[nodiscard]] std::uint64_t facs() const { return get<std::uint32_t>(fadt() + 36); }

  template <class T>
  [[nodiscard]] T get(std::uint64_t at) const {
    return memory_.load<T>(Gpa{at}).value();
  }
  [[nodiscard]] std::string characters(std::uint64_t at, std::size_t count) const {
    std::string found;
    for (const std::byte byte : bytes_at(memory_, at, count)) found += static_cast<char>(byte);
    return found;
  }
  [[nodiscard]] std::string signature(std::uint64_t table) const { return characters(table, 4); }
  [[nodiscard]] std::uint32_t length(std::uint64_t table) const { return get<std::uint32_t>(table + 4); }
  [[nodiscard]] unsigned sum(std::uint64_t at, std::size_t count) const {
    unsigned total = 0;
    for (const std::byte byte : bytes_at(memory_, at, count)) total += std::to_integer<unsigned>(byte);
    return total & 0xff;
  }
  [[nodiscard]] Bytes bytes(std::uint64_t table) const { return bytes_at(memory_, table, length(table)); }

  /// The MADT's interrupt controller structures of one type.
  [[nodiscard]] std::vector<Bytes> structures(unsigned type) const {
    std::vector<Bytes> found;
    const Bytes table = bytes(madt());
    for (std::size_t at = 44; at < table.size();) {
      const auto size = std::to_integer<std::size_t>(table[at + 1]);
      REQUIRE(size >= 2);
      REQUIRE(at + size <= table.size());
      if (table[at] == static_cast<std::byte>(type)) {
        found.emplace_back(table.begin() + static_cast<std::ptrdiff_t>(at),
                           table.begin() + static_cast<std::ptrdiff_t>(at + size));
      }
      at += size;
    }
    return found;
  }

 private:
  [[nodiscard]] std::uint64_t entry(const std::string& wanted) const {
    for (std::uint64_t at = xsdt() + 36; at < xsdt() + length(xsdt()); at += 8) {
      if (signature(get<std::uint64_t>(at)) == wanted) return get<std::uint64_t>(at);
    }
    FAIL("the XSDT has no " << wanted);
    return 0;
  }

  GuestMemory memory_;
  std::uint64_t rsdp_;
};

template <class T>
T field(const Bytes& bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

/// Where `wanted` occurs.
std::vector<std::size_t> find_all(const Bytes& bytes, const std::vector<std::uint8_t>& wanted) {
  std::vector<std::size_t> found;
  for (std::size_t at = 0; at + wanted.size() <= bytes.size(); ++at) {
    if (std::memcmp(bytes.data() + at, wanted.data(), wanted.size()) == 0) found.push_back(at);
  }
  return found;
}

}  // namespace

TEST_CASE("the RSDP lies where a scan of the BIOS area finds it, with both checksums right") {
  const Tables tables({.cpus = 1});
  CHECK(tables.rsdp() == 0xe'0000);
  CHECK(tables.characters(tables.rsdp(), 8) == "RSD PTR ");
  CHECK(tables.get<std::uint8_t>(tables.rsdp() + 15) == 2);    // revision
  CHECK(tables.get<std::uint32_t>(tables.rsdp() + 20) == 36);  // length
  CHECK(tables.sum(tables.rsdp(), 20) == 0);
  CHECK(tables.sum(tables.rsdp(), 36) == 0);
}

TEST_CASE("every ACPI table has its signature, revision, length and checksum, within the BIOS area") {
  const Tables tables({.cpus = 4});
  struct Expected {
    std::uint64_t at;
    const char* signature;
    unsigned revision;
  };
  for (const Expected& each : {Expected{tables.xsdt(), "XSDT", 1}, Expected{tables.fadt(), "FACP", 6},
                               Expected{tables.madt(), "APIC", 5}, Expected{tables.dsdt(), "DSDT", 2}}) {
    CHECK(tables.signature(each.at) == each.signature);
    CHECK(tables.get<std::uint8_t>(each.at + 8) == each.revision);
    CHECK(tables.sum(each.at, tables.length(each.at)) == 0);
    CHECK(each.at > 0xe'0000);
    CHECK(each.at + tables.length(each.at) <= 0x10'0000);
  }
  CHECK(tables.length(tables.xsdt()) == 36 + 2 * 8);
  CHECK(tables.length(tables.fadt()) == 276);
}

TEST_CASE("the FACS is 64 bytes on a 64-byte boundary") {
  const Tables tables({.cpus = 1});
  CHECK(tables.signature(tables.facs()) == "FACS");
  CHECK(tables.length(tables.facs()) == 64);
  CHECK(tables.facs() % 64 == 0);
}

TEST_CASE("the FADT names the fixed hardware") {
  const Tables tables({.cpus = 1});
  const Bytes fadt = tables.bytes(tables.fadt());
  CHECK(field<std::uint32_t>(fadt, 40) == tables.dsdt());
  CHECK(field<std::uint16_t>(fadt, 46) == 9);      // SCI_INT
  CHECK(field<std::uint32_t>(fadt, 48) == 0);      // SMI_CMD: ACPI mode is always on
  CHECK(field<std::uint32_t>(fadt, 56) == 0x600);  // PM1a_EVT_BLK
  CHECK(field<std::uint32_t>(fadt, 64) == 0x604);  // PM1a_CNT_BLK
  CHECK(field<std::uint32_t>(fadt, 76) == 0x608);  // PM_TMR_BLK
  CHECK(field<std::uint8_t>(fadt, 88) == 4);       // PM1_EVT_LEN
  CHECK(field<std::uint8_t>(fadt, 89) == 2);       // PM1_CNT_LEN
  CHECK(field<std::uint8_t>(fadt, 91) == 4);       // PM_TMR_LEN
  CHECK(field<std::uint16_t>(fadt, 96) > 100);     // P_LVL2_LAT: no C2
  CHECK(field<std::uint16_t>(fadt, 98) > 1000);    // P_LVL3_LAT: no C3
  CHECK(field<std::uint8_t>(fadt, 108) == 0x32);   // CENTURY
  CHECK(field<std::uint16_t>(fadt, 109) == 0x7);   // IAPC_BOOT_ARCH: legacy devices, 8042, no VGA
  const auto flags = field<std::uint32_t>(fadt, 112);
  CHECK((flags & 1U << 0) != 0);   // WBINVD
  CHECK((flags & 1U << 4) == 0);   // PWR_BUTTON: a fixed one
  CHECK((flags & 1U << 8) != 0);   // TMR_VAL_EXT: 32 bits
  CHECK((flags & 1U << 10) != 0);  // RESET_REG_SUP
  CHECK((flags & 1U << 20) == 0);  // HW_REDUCED_ACPI
}

TEST_CASE("the FADT resets through 0xcf9, and its extended addresses are the same ports") {
  const Tables tables({.cpus = 1});
  const Bytes fadt = tables.bytes(tables.fadt());
  struct Register {
    std::size_t offset;
    unsigned bits, access;
    std::uint64_t port;
  };
  for (const Register& each : {Register{116, 8, 1, 0xcf9}, Register{148, 32, 2, 0x600},
                               Register{172, 16, 2, 0x604}, Register{208, 32, 3, 0x608}}) {
    CHECK(field<std::uint8_t>(fadt, each.offset) == 1);  // system I/O space
    CHECK(field<std::uint8_t>(fadt, each.offset + 1) == each.bits);
    CHECK(field<std::uint8_t>(fadt, each.offset + 2) == 0);
    CHECK(field<std::uint8_t>(fadt, each.offset + 3) == each.access);
    CHECK(field<std::uint64_t>(fadt, each.offset + 4) == each.port);
  }
  CHECK(field<std::uint8_t>(fadt, 128) == 6);  // RESET_VALUE
}

TEST_CASE("the MADT has an enabled local APIC for every CPU") {
  const Tables tables({.cpus = 3});
  CHECK(tables.get<std::uint32_t>(tables.madt() + 36) == 0xfee0'0000);
  const auto apics = tables.structures(0);
  REQUIRE(apics.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(apics[i].size() == 8);
    CHECK(field<std::uint8_t>(apics[i], 2) == i);   // ACPI processor UID
    CHECK(field<std::uint8_t>(apics[i], 3) == i);   // APIC ID
    CHECK(field<std::uint32_t>(apics[i], 4) == 1);  // enabled
  }
  CHECK(tables.structures(9).empty());
  CHECK(tables.structures(10).empty());
}

TEST_CASE("CPUs from 255 on have x2APIC structures") {
  const Tables tables({.cpus = 257});
  CHECK(tables.structures(0).size() == 255);
  const auto x2apics = tables.structures(9);
  REQUIRE(x2apics.size() == 2);
  for (std::uint32_t i = 0; i < 2; ++i) {
    CHECK(x2apics[i].size() == 16);
    CHECK(field<std::uint32_t>(x2apics[i], 4) == 255 + i);   // x2APIC ID
    CHECK(field<std::uint32_t>(x2apics[i], 8) == 1);         // enabled
    CHECK(field<std::uint32_t>(x2apics[i], 12) == 255 + i);  // ACPI processor UID
  }
  CHECK(tables.structures(10).size() == 1);
}

TEST_CASE("the MADT has the I/O APIC, the PC's interrupt overrides and NMI on LINT1") {
  const Tables tables({.cpus = 1});
  const auto io_apics = tables.structures(1);
  REQUIRE(io_apics.size() == 1);
  CHECK(io_apics[0].size() == 12);
  CHECK(field<std::uint32_t>(io_apics[0], 4) == 0xfec0'0000);
  CHECK(field<std::uint32_t>(io_apics[0], 8) == 0);

  const auto overrides = tables.structures(2);
  REQUIRE(overrides.size() == 2);
  CHECK(field<std::uint8_t>(overrides[0], 3) == 0);   // the PIT's IRQ 0
  CHECK(field<std::uint32_t>(overrides[0], 4) == 2);  // is GSI 2
  CHECK(field<std::uint16_t>(overrides[0], 8) == 0);  // as the bus has it
  CHECK(field<std::uint8_t>(overrides[1], 3) == 9);   // the SCI
  CHECK(field<std::uint32_t>(overrides[1], 4) == 9);
  CHECK(field<std::uint16_t>(overrides[1], 8) == 0xd);  // active high, level

  const auto nmis = tables.structures(4);
  REQUIRE(nmis.size() == 1);
  CHECK(field<std::uint8_t>(nmis[0], 2) == 0xff);  // all processors
  CHECK(field<std::uint8_t>(nmis[0], 5) == 1);     // LINT1
}

TEST_CASE("the MADT says whether there are 8259s and an I/O APIC") {
  const Tables with({.cpus = 1});
  CHECK(with.get<std::uint32_t>(with.madt() + 40) == 1);
  const Tables without({.cpus = 1, .pic = false, .io_apic = false});
  CHECK(without.get<std::uint32_t>(without.madt() + 40) == 0);
  CHECK(without.structures(1).empty());
  CHECK(without.structures(2).empty());
}

TEST_CASE("virtio slots have an SSDT, which says how many are in use") {
  const Tables tables({.cpus = 1, .virtio_slots = 3});
  CHECK(tables.length(tables.xsdt()) == 36 + 3 * 8);
  CHECK(tables.get<std::uint8_t>(tables.ssdt() + 8) == 2);
  CHECK(tables.sum(tables.ssdt(), tables.length(tables.ssdt())) == 0);
  const Bytes ssdt = tables.bytes(tables.ssdt());
  const auto slots = find_all(ssdt, {0x08, 'S', 'L', 'T', 'S', 0x0c});  // Name (SLTS, DWordConst): 20.2.5.1
  REQUIRE(slots.size() == 1);
  CHECK(field<std::uint32_t>(ssdt, slots[0] + 6) == 3);
}

TEST_CASE("the SSDT has each virtio slot's registers and interrupt") {
  const Tables tables({.cpus = 1, .virtio_slots = 1});
  const Bytes ssdt = tables.bytes(tables.ssdt());
  // Resource descriptors: 32-bit fixed memory (ACPI 6.4, 6.4.3.4) and extended interrupt (6.4.3.6).
  const auto memory = find_all(ssdt, {0x86, 0x09, 0x00, 0x01});
  const auto interrupts = find_all(ssdt, {0x89, 0x06, 0x00});
  const std::vector<std::uint32_t> gsis{7, 12, 13, 20, 21, 22, 23};
  REQUIRE(memory.size() == gsis.size());
  REQUIRE(interrupts.size() == gsis.size());
  for (std::size_t i = 0; i < gsis.size(); ++i) {
    CHECK(field<std::uint32_t>(ssdt, memory[i] + 4) == 0xd000'0000 + i * 0x1000);
    CHECK(field<std::uint32_t>(ssdt, memory[i] + 8) == 0x1000);
    CHECK(field<std::uint8_t>(ssdt, interrupts[i] + 3) == 0x3);  // consumer, edge, active high, exclusive
    CHECK(field<std::uint32_t>(ssdt, interrupts[i] + 5) == gsis[i]);
  }
}

TEST_CASE("more CPUs than the tables can hold are refused") {
  GuestMemory memory(16 * mib);
  CHECK_THROWS_AS(write_acpi_tables({.cpus = 10'000}, memory), UsageError);
  CHECK(memory.load<std::uint64_t>(Gpa{0xe'0000}) == 0U);
}

namespace {

/// A directory for a test's files, gone with it.
class ScratchDirectory final {
 public:
  ScratchDirectory() : path_((std::filesystem::temp_directory_path() / "kvmbench-acpi-XXXXXX").string()) {
    REQUIRE(mkdtemp(path_.data()) != nullptr);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() { std::filesystem::remove_all(path_); }

  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

void write_file(const std::string& path, const Bytes& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

std::string read_file(const std::string& path) {
  std::ifstream in(path);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// What _PRT gives to an operating system that has called _PIC with `model`: its entries' four numbers each.
std::vector<std::array<std::uint64_t, 4>> pci_routing_table(unsigned model) {
  const ScratchDirectory directory;
  const Tables tables({.cpus = 1});
  const std::string log = directory / "log";
  write_file(directory / "dsdt.aml", tables.bytes(tables.dsdt()));
  const std::string commands = fmt::format(R"(evaluate \_PIC {};evaluate \_SB.PCI0._PRT)", model);
  REQUIRE(std::system(fmt::format("'{}' -b '{}' '{}' > '{}' 2>&1 < /dev/null", ACPIEXEC, commands,
                                  directory / "dsdt.aml", log)
                          .c_str()) == 0);
  std::vector<std::uint64_t> numbers;
  std::istringstream lines(read_file(log));
  const std::string_view label = "[Integer] = ";
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.find(label);
    if (at != std::string::npos) numbers.push_back(std::stoull(line.substr(at + label.size()), nullptr, 16));
  }
  std::vector<std::array<std::uint64_t, 4>> entries;
  for (std::size_t i = 0; i + 4 <= numbers.size(); i += 4) {
    entries.push_back({numbers[i], numbers[i + 1], numbers[i + 2], numbers[i + 3]});
  }
  return entries;
}

}  // namespace

TEST_CASE("_PRT routes every pin of every PCI device, to the I/O APIC or to the 8259s as _PIC was told") {
  const unsigned model = GENERATE(0u, 1u);
  const auto entries = pci_routing_table(model);
  REQUIRE(entries.size() == 32 * 4);
  for (unsigned device = 0; device < 32; ++device) {
    for (unsigned pin = 0; pin < 4; ++pin) {
      const auto& entry = entries[device * 4 + pin];
      const unsigned link = pci_routing::link_of(device, pin + 1);
      const unsigned interrupt = model == 0 ? pci_routing::pic_irqs.at(link) : pci_routing::first_gsi + link;
      CHECK(entry[0] == (device << 16 | 0xffff));
      CHECK(entry[1] == pin);
      CHECK(entry[2] == 0);
      CHECK(entry[3] == interrupt);
    }
  }
}

TEST_CASE("iasl disassembles every table without complaint, and finds the machine's devices") {
  const Tables tables({.cpus = 257});
  const ScratchDirectory directory;
  std::string all;
  for (const std::uint64_t at : {tables.xsdt(), tables.fadt(), tables.madt(), tables.facs(), tables.dsdt()}) {
    const std::string name = tables.signature(at);
    const std::string base = directory / name;
    write_file(base + ".dat", tables.bytes(at));
    const std::string command = fmt::format("'{0}' -p '{1}' -d '{1}.dat' > '{1}.log' 2>&1", IASL, base);
    INFO(name);
    CHECK(std::system(command.c_str()) == 0);
    for (const char* suffix : {".log", ".dsl"}) {
      const std::string content = read_file(base + suffix);
      CHECK_THAT(content, !Catch::Matchers::Contains("Invalid"));
      CHECK_THAT(content, !Catch::Matchers::Contains("Incorrect"));
      CHECK_THAT(content, !Catch::Matchers::Contains("Warning"));
      CHECK_THAT(content, !Catch::Matchers::Contains("Error"));
      all += content;
    }
  }
  for (const char* part : {"Name (_S5", "PNP0A03", "PNP0501", "PNP0B00", "PNP0303"}) {
    CHECK_THAT(all, Catch::Matchers::Contains(part));
  }
}

}  // namespace kvmbench::boot::test
