// Expected values: Xen's docs/misc/pvh.pandoc and public/arch-x86/hvm/start_info.h.
#include <catch2/catch.hpp>

#include "images.hpp"

namespace kvmbench::boot::test {
namespace {

constexpr std::uint64_t start_info_at = 0x1000;

template <class T>
Bytes value(T number) {
  Bytes bytes;
  put(bytes, 0, number);
  return bytes;
}

template <class AnyElf, class Address>
AnyElf pvh_elf(Address entry) {
  AnyElf elf = plain_elf<AnyElf>();
  elf.add_note("Xen", 18, value(entry));
  return elf;
}

std::uint32_t u32(const GuestMemory& memory, std::uint64_t at) {
  return memory.load<std::uint32_t>(Gpa{at}).value();
}
std::uint64_t u64(const GuestMemory& memory, std::uint64_t at) {
  return memory.load<std::uint64_t>(Gpa{at}).value();
}

}  // namespace

TEST_CASE(
    "an ELF with a PVH note is entered at it in 32-bit protected mode, EBX pointing at the start info") {
  const auto check = [](const Bytes& file) {
    GuestMemory memory(16 * mib);
    const Loaded loaded = load(image_named("guest", file), memory);
    CHECK(loaded.protocol == Protocol::pvh);
    CHECK(loaded.entry.mode == CpuMode::protected32);
    CHECK(loaded.entry.rip == mib + 0x40);
    CHECK(loaded.entry.rbx == start_info_at);
    CHECK(loaded.entry.rax == 0);
    CHECK(loaded.entry.rsi == 0);
    CHECK(bytes_at(memory, mib, 8192) == filled(8192, 0x90));
  };
  SECTION("ELF32") {
    check(pvh_elf<Elf32>(static_cast<std::uint32_t>(mib + 0x40)).bytes());
  }
  SECTION("ELF64 with an 8-byte entry") {
    check(pvh_elf<Elf64>(std::uint64_t{mib + 0x40}).bytes());
  }
  SECTION("ELF64 with a 4-byte entry") {
    check(pvh_elf<Elf64>(static_cast<std::uint32_t>(mib + 0x40)).bytes());
  }
  SECTION("after notes of other names and types") {
    Elf64 elf = plain_elf<Elf64>();
    elf.add_note("GNU", 18, filled(20, 1));
    elf.add_note("Xen", 6, text("linux"));
    elf.add_note("Xen", 18, value(std::uint64_t{mib + 0x40}));
    check(elf.bytes());
  }
  SECTION("after another note in the same segment") {
    Elf64 elf = plain_elf<Elf64>();
    elf.add_note("Xen", 5, text("2.6"));  // a descriptor of 3 bytes, padded to 4
    Bytes both = elf.contents.back();
    both.resize(both.size() + 1);
    elf.add_note("Xen", 18, value(std::uint64_t{mib + 0x40}));
    put_bytes(both, both.size(), elf.contents.back());
    elf.contents.pop_back();
    elf.segments.pop_back();
    elf.contents.back() = both;
    elf.segments.back().p_filesz = elf.segments.back().p_memsz = both.size();
    check(elf.bytes());
  }
}

TEST_CASE("the PVH start info carries command line, RSDP and memory map") {
  const Bytes file = pvh_elf<Elf64>(std::uint64_t{mib}).bytes();
  Inputs inputs = image_named("guest", file);
  inputs.command_line = "n=5";
  inputs.rsdp = Gpa{0xe'0000};
  GuestMemory memory(5 * gib);
  (void)load(inputs, memory);

  CHECK(u32(memory, start_info_at) == 0x336e'c578);
  CHECK(u32(memory, start_info_at + 4) == 1);   // version
  CHECK(u32(memory, start_info_at + 8) == 0);   // flags
  CHECK(u32(memory, start_info_at + 12) == 0);  // nr_modules
  CHECK(u64(memory, start_info_at + 16) == 0);  // modlist_paddr
  CHECK(string_at(memory, u64(memory, start_info_at + 24)) == "n=5");
  CHECK(u64(memory, start_info_at + 32) == 0xe'0000);  // rsdp_paddr
  const std::uint64_t map = u64(memory, start_info_at + 40);
  REQUIRE(u32(memory, start_info_at + 48) == 5);  // memmap_entries
  CHECK(u32(memory, start_info_at + 52) == 0);    // reserved

  const std::uint64_t expected[][3] = {{0, 0x9'fc00, 1},
                                       {0x9'fc00, 0x6'0400, 2},
                                       {0x10'0000, 0xbff0'0000, 1},
                                       {0xfffb'c000, 0x4000, 2},
                                       {0x1'0000'0000, 0x8000'0000, 1}};
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    CHECK(u64(memory, map + 24 * i) == expected[i][0]);
    CHECK(u64(memory, map + 24 * i + 8) == expected[i][1]);
    CHECK(u32(memory, map + 24 * i + 16) == expected[i][2]);
    CHECK(u32(memory, map + 24 * i + 20) == 0);
  }
}

TEST_CASE("the initrd is the first PVH module, the others follow with their names") {
  const Bytes file = pvh_elf<Elf64>(std::uint64_t{mib}).bytes();
  const Bytes initrd = filled(5000, 0x11);
  const Bytes other = filled(100, 0x22);
  Inputs inputs = image_named("guest", file);
  inputs.initrd = File{"initrd.gz", initrd};
  inputs.modules = {File{"module a=1", other}};
  GuestMemory memory(16 * mib);
  (void)load(inputs, memory);

  REQUIRE(u32(memory, start_info_at + 12) == 2);
  const std::uint64_t list = u64(memory, start_info_at + 16);
  CHECK(u64(memory, list) == 16 * mib - 8192);
  CHECK(u64(memory, list + 8) == 5000);
  CHECK(string_at(memory, u64(memory, list + 16)) == "initrd.gz");
  CHECK(u64(memory, list + 24) == 0);
  CHECK(bytes_at(memory, u64(memory, list), 5000) == initrd);
  CHECK(u64(memory, list + 32) == 16 * mib - 8192 - 4096);
  CHECK(u64(memory, list + 40) == 100);
  CHECK(string_at(memory, u64(memory, list + 48)) == "module a=1");
  CHECK(bytes_at(memory, u64(memory, list + 32), 100) == other);
}

TEST_CASE("a PVH entry outside of the image is refused") {
  check_image_refused(pvh_elf<Elf64>(std::uint64_t{mib + 8192}).bytes(), "PVH entry point 0x102000");
  check_image_refused(pvh_elf<Elf64>(~std::uint64_t{0}).bytes(), "PVH entry point 0xffffffffffffffff");
  Elf64 high = pvh_elf<Elf64>(std::uint64_t{0x1'0000'0000});
  high.add(0x1'0000'0000, filled(16, 0));
  check_image_refused(high.bytes(), "PVH entry point 0x100000000", 5 * gib);
}

TEST_CASE("a PVH note whose sizes reach past the segment is no note") {
  Elf64 elf = pvh_elf<Elf64>(std::uint64_t{mib});
  SECTION("name") {
    put(elf.contents[1], 0, std::uint32_t{0xffff'ffff});
  }
  SECTION("descriptor") {
    put(elf.contents[1], 4, std::uint32_t{0xffff'ffff});
  }
  const Bytes file = elf.bytes();
  GuestMemory memory(16 * mib);
  CHECK(load(image_named("guest", file), memory).protocol == Protocol::elf64);
}

TEST_CASE("PVH modules that do not fit, or are too many, are refused") {
  const Bytes file = pvh_elf<Elf64>(std::uint64_t{mib}).bytes();
  Inputs inputs = image_named("image", file);
  SECTION("too large") {
    const Bytes large = filled(15 * mib, 1);
    inputs.modules = {File{"large", large}};
    check_refused(inputs, "large: its 15728640 bytes do not fit");
  }
  SECTION("too many") {
    const Bytes small = filled(1, 1);
    inputs.modules.assign(1000, File{"module", small});
    check_refused(inputs, "give fewer modules");
  }
  SECTION("empty") {
    inputs.modules = {File{"module", {}}};
    check_refused(inputs, "module: is an empty file");
  }
}

}  // namespace kvmbench::boot::test
