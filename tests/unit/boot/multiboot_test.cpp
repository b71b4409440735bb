// Expected values: Multiboot Specification 0.6.96.
#include <catch2/catch.hpp>

#include "images.hpp"

namespace kvmbench::boot::test {
namespace {

constexpr std::uint64_t info_at = 0x1000;
constexpr std::uint32_t magic = 0x1bad'b002;

Bytes header(std::uint32_t flags, std::initializer_list<std::uint32_t> addresses = {}) {
  Bytes bytes;
  put(bytes, 0, magic);
  put(bytes, 4, flags);
  put(bytes, 8, 0U - magic - flags);
  for (const std::uint32_t address : addresses) put(bytes, bytes.size(), address);
  return bytes;
}

/// With the header at the beginning of its only segment.
template <class AnyElf>
AnyElf multiboot_elf(std::uint32_t flags) {
  AnyElf elf = plain_elf<AnyElf>();
  put_bytes(elf.contents[0], 0, header(flags));
  elf.header.e_entry = mib + 0x40;
  return elf;
}

/// A file without ELF header: the multiboot header at `offset`, loaded by its addresses.
Bytes addressed(std::size_t offset, std::initializer_list<std::uint32_t> addresses) {
  Bytes file = filled(0x3000, 0x90);
  put_bytes(file, offset, header(1 << 16, addresses));
  return file;
}

std::uint32_t u32(const GuestMemory& memory, std::uint64_t at) {
  return memory.load<std::uint32_t>(Gpa{at}).value();
}
std::uint64_t u64(const GuestMemory& memory, std::uint64_t at) {
  return memory.load<std::uint64_t>(Gpa{at}).value();
}

}  // namespace

TEST_CASE("a multiboot ELF is entered in 32-bit protected mode with its magic number in EAX") {
  const auto check = [](const Bytes& file) {
    GuestMemory memory(16 * mib);
    const Loaded loaded = load(image_named("guest", file), memory);
    CHECK(loaded.protocol == Protocol::multiboot);
    CHECK(loaded.entry.mode == CpuMode::protected32);
    CHECK(loaded.entry.rip == mib + 0x40);
    CHECK(loaded.entry.rax == 0x2bad'b002);
    CHECK(loaded.entry.rbx == info_at);
    CHECK(bytes_at(memory, mib + 12, 8180) == filled(8180, 0x90));
  };
  SECTION("ELF32") {
    check(multiboot_elf<Elf32>(0).bytes());
  }
  SECTION("ELF64") {
    check(multiboot_elf<Elf64>(0).bytes());
  }
  SECTION("page alignment, memory information and a video mode may be demanded") {
    check(multiboot_elf<Elf32>(7).bytes());
  }
  SECTION("flags of which the boot loader may ignore what it does not know") {
    check(multiboot_elf<Elf32>(0x8000'0000).bytes());
  }
}

TEST_CASE("a multiboot demand that is not known is refused") {
  check_image_refused(multiboot_elf<Elf32>(1 << 3).bytes(), "features that are not known (flags 0x8)");
  check_image_refused(multiboot_elf<Elf32>(1 << 15).bytes(), "features that are not known (flags 0x8000)");
}

TEST_CASE("the multiboot information has memory sizes, memory map, command line and boot loader's name") {
  const Bytes file = multiboot_elf<Elf32>(0).bytes();
  Inputs inputs = image_named("guests/my mix", file);
  inputs.command_line = "n=5 quiet";
  GuestMemory memory(5 * gib);
  (void)load(inputs, memory);

  CHECK(u32(memory, info_at) == (1U << 0 | 1U << 2 | 1U << 3 | 1U << 6 | 1U << 9));
  CHECK(u32(memory, info_at + 4) == 639);                // mem_lower, KiB
  CHECK(u32(memory, info_at + 8) == 3 * mib - 1 * kib);  // mem_upper, KiB: 1 MiB to 3 GiB
  CHECK(string_at(memory, u32(memory, info_at + 16)) == "guests/my_mix n=5 quiet");
  CHECK(u32(memory, info_at + 20) == 0);  // mods_count
  CHECK(string_at(memory, u32(memory, info_at + 64)) == "kvmbench");

  const std::uint64_t expected[][3] = {{0, 0x9'fc00, 1},
                                       {0x9'fc00, 0x6'0400, 2},
                                       {0x10'0000, 0xbff0'0000, 1},
                                       {0xfffb'c000, 0x4000, 2},
                                       {0x1'0000'0000, 0x8000'0000, 1}};
  REQUIRE(u32(memory, info_at + 44) == 24 * std::size(expected));  // mmap_length
  const std::uint64_t map = u32(memory, info_at + 48);
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    CHECK(u32(memory, map + 24 * i) == 20);  // size, of the rest
    CHECK(u64(memory, map + 24 * i + 4) == expected[i][0]);
    CHECK(u64(memory, map + 24 * i + 12) == expected[i][1]);
    CHECK(u32(memory, map + 24 * i + 20) == expected[i][2]);
  }
}

TEST_CASE("the multiboot command line is the image's name alone where no arguments are given") {
  const Bytes file = multiboot_elf<Elf32>(0).bytes();
  GuestMemory memory(16 * mib);
  (void)load(image_named("guest", file), memory);
  CHECK(string_at(memory, u32(memory, info_at + 16)) == "guest");
}

TEST_CASE("multiboot modules follow the image, page-aligned, with their strings") {
  const Bytes file = multiboot_elf<Elf32>(1).bytes();
  const Bytes one = filled(5000, 0x11);
  const Bytes two = filled(16, 0x22);
  Inputs inputs = image_named("guest", file);
  inputs.modules = {File{"one a=1", one}, File{"nothing", {}}, File{"two", two}};
  GuestMemory memory(16 * mib);
  (void)load(inputs, memory);

  REQUIRE(u32(memory, info_at + 20) == 3);
  const std::uint64_t list = u32(memory, info_at + 24);
  const std::uint64_t end = mib + 8192;
  CHECK(u32(memory, list) == end);
  CHECK(u32(memory, list + 4) == end + 5000);
  CHECK(string_at(memory, u32(memory, list + 8)) == "one a=1");
  CHECK(u32(memory, list + 12) == 0);
  CHECK(u32(memory, list + 16) == u32(memory, list + 20));
  CHECK(string_at(memory, u32(memory, list + 24)) == "nothing");
  CHECK(u32(memory, list + 32) == end + 8192);
  CHECK(u32(memory, list + 36) == end + 8192 + 16);
  CHECK(bytes_at(memory, end, 5000) == one);
  CHECK(bytes_at(memory, end + 8192, 16) == two);
}

TEST_CASE("a multiboot header is found on any 4-byte boundary, whole within the first 8192 bytes") {
  const auto protocol_with_header_at = [](std::size_t offset) {
    Elf64 elf;
    const std::size_t content_at = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
    Bytes content = filled(0x4000, 0x90);
    put_bytes(content, offset - content_at, header(0));
    elf.add(mib, content);
    elf.header.e_entry = mib;
    const Bytes file = elf.bytes();
    GuestMemory memory(16 * mib);
    return load(image_named("guest", file), memory).protocol;
  };
  CHECK(protocol_with_header_at(124) == Protocol::multiboot);
  CHECK(protocol_with_header_at(8192 - 12) == Protocol::multiboot);
  CHECK(protocol_with_header_at(8192 - 8) == Protocol::elf64);
  CHECK(protocol_with_header_at(8192) == Protocol::elf64);
  CHECK(protocol_with_header_at(126) == Protocol::elf64);
}

TEST_CASE("a multiboot magic number without a right checksum is no header") {
  Elf64 elf = multiboot_elf<Elf64>(0);
  put(elf.contents[0], 8, std::uint32_t{1});
  const Bytes file = elf.bytes();
  GuestMemory memory(16 * mib);
  CHECK(load(image_named("guest", file), memory).protocol == Protocol::elf64);
}

TEST_CASE("the addresses in a multiboot header say what is loaded where, and what is zero") {
  // The header is 0x100 into the file; what is loaded begins 0x80 before it, has 0x1000 bytes, then 0x500 of
  // zeros.
  const Bytes file =
      addressed(0x100, {2 * mib + 0x80, 2 * mib, 2 * mib + 0x1000, 2 * mib + 0x1500, 2 * mib + 0x200});
  const Bytes module = filled(1, 0x33);
  Inputs inputs = image_named("guest", file);
  inputs.modules = {File{"module", module}};
  GuestMemory memory(16 * mib);
  const Loaded loaded = load(inputs, memory);
  CHECK(loaded.protocol == Protocol::multiboot);
  CHECK(loaded.entry.rip == 2 * mib + 0x200);
  CHECK(u32(memory, 2 * mib + 0x80) == magic);
  CHECK(bytes_at(memory, 2 * mib + 0xfff, 2) == Bytes{std::byte{0x90}, std::byte{0}});
  CHECK(u32(memory, u32(memory, info_at + 24)) == 2 * mib + 0x2000);  // the module, after the zeros
}

TEST_CASE("a load_end_addr of 0 loads the whole file, a bss_end_addr of 0 adds nothing") {
  const Bytes file = addressed(0, {2 * mib, 2 * mib, 0, 0, 2 * mib + 0x20});
  GuestMemory memory(16 * mib);
  (void)load(image_named("guest", file), memory);
  CHECK(bytes_at(memory, 2 * mib, file.size()) == file);
}

TEST_CASE("the addresses of a multiboot header go before the segments of an ELF") {
  Elf64 elf = plain_elf<Elf64>();
  const auto content_at = static_cast<std::uint32_t>(sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr));
  const auto base = static_cast<std::uint32_t>(4 * mib);
  put_bytes(elf.contents[0], 8, header(1 << 16, {base + content_at + 8, base, 0, 0, base + 0x100}));
  const Bytes file = elf.bytes();
  GuestMemory memory(16 * mib);
  CHECK(load(image_named("guest", file), memory).entry.rip == base + 0x100);
  CHECK(bytes_at(memory, base, file.size()) == file);
  CHECK(bytes_at(memory, mib, 8192) == filled(8192, 0));
}

TEST_CASE("multiboot addresses that make no sense are refused") {
  struct Bad {
    const char* what;
    std::initializer_list<std::uint32_t> addresses;
    const char* message;
  };
  constexpr std::uint32_t base = 2 << 20;
  const Bad bad[] = {
      {"load after the header", {base, base + 4, 0, 0, base}, "before the file's beginning"},
      {"load before the file", {base + 0x101, base, 0, 0, base}, "before the file's beginning"},
      {"load end before its beginning", {base, base, base - 1, 0, base}, "load_end_addr"},
      {"load end past the file", {base, base, base + 0x2f01, 0, base}, "past the end of the file"},
      {"bss end before load end", {base, base, base + 0x100, base + 0xff, base}, "bss_end_addr"},
      {"entry below", {base, base, 0, 0, base - 1}, "entry_addr 0x1fffff outside"},
      {"entry after the end",
       {base, base, base + 0x100, base + 0x200, base + 0x200},
       "entry_addr 0x200200 outside"},
      {"past memory", {base, base, 0, 17 << 20, base}, "past the guest's memory"},
      {"in the hole", {0xd000'0000, 0xd000'0000, 0, 0, 0xd000'0000}, "hole"},
      {"over the BIOS area", {0xf'0000, 0xf'0000, 0, 0, 0xf'0000}, "BIOS area"},
  };
  for (const Bad& each : bad) {
    DYNAMIC_SECTION(each.what) {
      check_image_refused(addressed(0x100, each.addresses), each.message);
    }
  }
}

TEST_CASE("a multiboot header without addresses in a file that is no ELF is not bootable") {
  Bytes file = filled(8192, 0x90);
  put_bytes(file, 0, header(0));
  check_image_refused(file, "what can be booted is");
}

TEST_CASE("what multiboot cannot take is refused") {
  const Bytes file = multiboot_elf<Elf32>(0).bytes();
  Inputs inputs = image_named("image", file);
  SECTION("an initrd") {
    inputs.initrd = File{"initrd", file};
    check_refused(inputs, "takes no initrd");
  }
  SECTION("a command line that with the image's name has 65536 characters") {
    inputs.command_line = std::string(65536 - 6, 'x');
    check_refused(inputs, "65536 characters");
  }
  SECTION("modules that do not fit") {
    const Bytes large = filled(8 * mib, 1);
    inputs.modules = {File{"one", large}, File{"two", large}};
    check_refused(inputs, "two: the module of 8388608 bytes does not fit");
  }
  SECTION("modules whose names do not fit") {
    const Bytes small = filled(1, 1);
    inputs.modules = {File{std::string(0x7000, 'x'), small}};
    check_refused(inputs, "give fewer modules");
  }
  SECTION("a segment where the information goes") {
    Elf32 elf = multiboot_elf<Elf32>(0);
    elf.add(0x1000, filled(1, 0));
    check_image_refused(elf.bytes(), "overlaps");
  }
  SECTION("an entry point above 4 GiB") {
    Elf64 elf = multiboot_elf<Elf64>(0);
    elf.add(0x1'0000'0000, filled(1, 0));
    elf.header.e_entry = 0x1'0000'0000;
    check_image_refused(elf.bytes(), "not below 4 GiB", 5 * gib);
  }
}

TEST_CASE("an ELF with both a PVH note and a multiboot header is booted by PVH") {
  Elf32 elf = multiboot_elf<Elf32>(0);
  Bytes entry;
  put(entry, 0, static_cast<std::uint32_t>(mib));
  elf.add_note("Xen", 18, entry);
  const Bytes file = elf.bytes();
  GuestMemory memory(16 * mib);
  CHECK(load(image_named("guest", file), memory).protocol == Protocol::pvh);
}

}  // namespace kvmbench::boot::test
