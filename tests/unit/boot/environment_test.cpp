// Expected values: Intel SDM vol. 3A, 3.4.5 (descriptors) and 4.5 (4-level paging).
#include <catch2/catch.hpp>

#include "images.hpp"
#include "vmm/boot/gdt.hpp"

namespace kvmbench::boot::test {
namespace {

constexpr std::uint64_t gdt_at = 0x500;
constexpr std::uint64_t page_tables_at = 0x9000;

std::uint64_t u64(const GuestMemory& memory, std::uint64_t at) {
  return memory.load<std::uint64_t>(Gpa{at}).value();
}

/// The address that a walk of the tables, from the PML4 at 0x9000, leads to; the entries must be present and
/// writable.
std::uint64_t walk(const GuestMemory& memory, std::uint64_t address) {
  std::uint64_t table = page_tables_at;
  for (const unsigned shift : {39U, 30U}) {
    const std::uint64_t entry = u64(memory, table + 8 * (address >> shift & 511));
    REQUIRE((entry & 0xfff) == 3);
    table = entry & ~std::uint64_t{0xfff};
  }
  const std::uint64_t entry = u64(memory, table + 8 * (address >> 21 & 511));
  REQUIRE((entry & 0xfff) == 0x83);
  return (entry & ~std::uint64_t{0xfff}) + (address & 0x1f'ffff);
}

}  // namespace

TEST_CASE("in long mode the first 4 GiB are mapped to themselves, and no more") {
  const Bytes file = plain_elf<Elf64>().bytes();
  GuestMemory memory(16 * mib);
  (void)load(image_named("guest", file), memory);
  for (std::uint64_t address = 0; address < 4 * gib; address += 2 * mib)
    CHECK(walk(memory, address) == address);
  CHECK(walk(memory, 4 * gib - 1) == 4 * gib - 1);
  for (std::size_t i = 1; i < 512; ++i) CHECK(u64(memory, page_tables_at + 8 * i) == 0);
  for (std::size_t i = 4; i < 512; ++i) CHECK(u64(memory, page_tables_at + 0x1000 + 8 * i) == 0);
}

TEST_CASE("the GDT has flat code at selector 0x10 and flat data at 0x18") {
  CHECK(gdt::code_selector == 0x10);
  CHECK(gdt::data_selector == 0x18);
  CHECK(gdt::limit == 31);
  const Bytes code = filled(16, 0xf4);
  Inputs inputs = image_named("guest", code);
  SECTION("64-bit code") {
    inputs.raw = RawOptions{};
    GuestMemory memory(16 * mib);
    (void)load(inputs, memory);
    CHECK(u64(memory, gdt_at) == 0);
    CHECK(u64(memory, gdt_at + 0x10) == 0x00af'9b00'0000'ffff);
    CHECK(u64(memory, gdt_at + 0x18) == 0x00cf'9300'0000'ffff);
  }
  SECTION("32-bit code") {
    inputs.raw = RawOptions{.mode = CpuMode::protected32, .load_address = {}, .entry = {}};
    GuestMemory memory(16 * mib);
    (void)load(inputs, memory);
    CHECK(u64(memory, gdt_at) == 0);
    CHECK(u64(memory, gdt_at + 0x10) == 0x00cf'9b00'0000'ffff);
    CHECK(u64(memory, gdt_at + 0x18) == 0x00cf'9300'0000'ffff);
  }
}

}  // namespace kvmbench::boot::test
