// Expected values: System V gABI, chapters 4 and 5.
#include <catch2/catch.hpp>

#include "images.hpp"

namespace kvmbench::boot::test {
namespace {

struct BadElf {
  const char* what;
  std::function<void(Elf64&)> damage;
  const char* message;
};

}  // namespace

TEST_CASE("a static ELF64 is entered in long mode at its entry point") {
  Elf64 elf = plain_elf<Elf64>();
  elf.header.e_entry = mib + 0x123;
  const Bytes file = elf.bytes();
  GuestMemory memory(16 * mib);
  const Loaded loaded = load(image_named("guest", file), memory);
  CHECK(loaded.protocol == Protocol::elf64);
  CHECK(loaded.entry.mode == CpuMode::long64);
  CHECK(loaded.entry.rip == mib + 0x123);
  CHECK(loaded.entry.rsp == 0x1'0000);
  CHECK(loaded.entry.rax == 0);
  CHECK(loaded.entry.rbx == 0);
  CHECK(loaded.entry.rsi == 0);
}

TEST_CASE("segments are loaded at their physical addresses, and what the file lacks of them is zero") {
  Elf64 elf = plain_elf<Elf64>();
  elf.add(2 * mib, filled(100, 0x11), 100).p_vaddr = 0xffff'ffff'8020'0000;
  const Bytes file = elf.bytes();
  GuestMemory memory(16 * mib);
  (void)load(image_named("guest", file), memory);
  CHECK(bytes_at(memory, mib, 8192) == filled(8192, 0x90));
  CHECK(bytes_at(memory, 2 * mib, 100) == filled(100, 0x11));
  CHECK(bytes_at(memory, 2 * mib + 100, 100) == filled(100, 0));
}

TEST_CASE("an entry point in a segment's virtual addresses is entered at the physical address behind it") {
  Elf64 elf;
  elf.add(mib, filled(4096, 0x90)).p_vaddr = 0xffff'ffff'8010'0000;
  elf.header.e_entry = 0xffff'ffff'8010'0040;
  const Bytes file = elf.bytes();
  GuestMemory memory(16 * mib);
  CHECK(load(image_named("guest", file), memory).entry.rip == mib + 0x40);
}

TEST_CASE("a segment of a 5 GiB guest may lie above 4 GiB, the entry point may not") {
  Elf64 elf = plain_elf<Elf64>();
  elf.add(0x1'0000'0000, filled(16, 0x22));
  const Bytes file = elf.bytes();
  GuestMemory memory(5 * gib);
  (void)load(image_named("guest", file), memory);
  CHECK(bytes_at(memory, 0x1'0000'0000, 16) == filled(16, 0x22));

  elf.header.e_entry = 0x1'0000'0000;
  check_image_refused(elf.bytes(), "not below 4 GiB", 5 * gib);
}

TEST_CASE("a position-independent ELF64 linked at 0 is moved to 1 MiB, or to its alignment above") {
  Elf64 elf;
  elf.header.e_type = ET_DYN;
  elf.add(0, filled(4096, 0x90));
  elf.header.e_entry = 0x10;
  {
    const Bytes file = elf.bytes();
    GuestMemory memory(16 * mib);
    CHECK(load(image_named("guest", file), memory).entry.rip == mib + 0x10);
    CHECK(bytes_at(memory, mib, 4096) == filled(4096, 0x90));
  }
  elf.segments[0].p_align = 2 * mib;
  {
    const Bytes file = elf.bytes();
    GuestMemory memory(16 * mib);
    CHECK(load(image_named("guest", file), memory).entry.rip == 2 * mib + 0x10);
  }
}

TEST_CASE("a damaged or unsuitable ELF is refused") {
  const BadElf bad[] = {
      {"class", [](Elf64& e) { e.header.e_ident[EI_CLASS] = 3; }, "neither ELF32 nor ELF64 (EI_CLASS 3)"},
      {"big endian", [](Elf64& e) { e.header.e_ident[EI_DATA] = ELFDATA2MSB; }, "not a little-endian ELF"},
      {"version", [](Elf64& e) { e.header.e_ident[EI_VERSION] = 2; }, "ELF version 2"},
      {"object file", [](Elf64& e) { e.header.e_type = ET_REL; }, "relocatable ELF object"},
      {"core dump", [](Elf64& e) { e.header.e_type = ET_CORE; }, "core dump"},
      {"unknown type", [](Elf64& e) { e.header.e_type = 77; }, "ELF type 77"},
      {"machine", [](Elf64& e) { e.header.e_machine = EM_AARCH64; },
       "ELF64 for machine 183, not for x86 (62)"},
      {"program header size", [](Elf64& e) { e.header.e_phentsize = 32; }, "program headers of 32 bytes"},
      {"program header offset", [](Elf64& e) { e.header.e_phoff = 1 << 20; }, "past the end of the file"},
      {"offset that wraps", [](Elf64& e) { e.header.e_phoff = ~0ULL - 8; }, "past the end of the file"},
      {"no segment", [](Elf64& e) { e.segments[0].p_type = PT_NULL; }, "no segment to load"},
      {"empty segment", [](Elf64& e) { e.segments[0].p_filesz = e.segments[0].p_memsz = 0; },
       "no segment to load"},
      {"segment offset", [](Elf64& e) { e.segments[0].p_offset = 1; }, "segment 0"},
      {"segment offset that wraps", [](Elf64& e) { e.segments[0].p_offset = ~0ULL - 200; },
       "past the end of the file"},
      {"segment size", [](Elf64& e) { e.segments[0].p_filesz = e.segments[0].p_memsz = 8193; },
       "past the end of the file"},
      {"larger in the file", [](Elf64& e) { e.segments[0].p_memsz = 8191; },
       "0x2000 bytes in the file but 0x1fff"},
      {"interpreter", [](Elf64& e) { e.add(0, text("/lib64/ld.so")).p_type = PT_INTERP; }, "dynamic loader"},
      {"note past the end", [](Elf64& e) { e.add_note("Xen", 18, filled(4, 0)).p_filesz = 1000; },
       "segment 1"},
      {"overlap", [](Elf64& e) { e.add(mib + 8191, filled(1, 0)); },
       "image: segment 1 (0x1 bytes at 0x101fff) overlaps"},
      {"overlap from below", [](Elf64& e) { e.add(mib - 1, filled(2, 0)); }, "overlaps"},
      {"overlap around", [](Elf64& e) { e.add(mib + 16, filled(1, 0)).p_paddr = mib; }, "overlaps"},
      {"BIOS area", [](Elf64& e) { e.add(0x9'fbff, filled(2, 0)); }, "overlaps the BIOS area"},
      {"end of the BIOS area", [](Elf64& e) { e.add(0xf'ffff, filled(1, 0)); }, "overlaps the BIOS area"},
      {"GDT", [](Elf64& e) { e.add(0x500, filled(1, 0)); }, "overlaps the boot GDT"},
      {"page tables", [](Elf64& e) { e.add(0xe'fff, filled(1, 0)); }, "overlaps the boot page tables"},
      {"stack", [](Elf64& e) { e.add(0xf'fff, filled(1, 0)); }, "overlaps the boot stack"},
      {"past memory", [](Elf64& e) { e.add(16 * mib - 1, filled(1, 0), 1); },
       "past the guest's memory of 16 MiB"},
      {"far past memory", [](Elf64& e) { e.add(1ULL << 40, filled(1, 0)); }, "past the guest's memory"},
      {"in the hole", [](Elf64& e) { e.add(0xd000'0000, filled(1, 0)); }, "over the hole"},
      {"wrapping", [](Elf64& e) { e.add(~0ULL - 10, filled(1, 0), 100); }, "wraps around"},
      {"huge in memory", [](Elf64& e) { e.segments[0].p_memsz = ~0ULL; }, "wraps around"},
      {"entry outside", [](Elf64& e) { e.header.e_entry = mib + 8192; }, "entry point 0x102000 lies in none"},
      {"entry below", [](Elf64& e) { e.header.e_entry = 0; }, "entry point 0x0 lies in none"},
  };
  for (const BadElf& each : bad) {
    DYNAMIC_SECTION(each.what) {
      Elf64 elf = plain_elf<Elf64>();
      each.damage(elf);
      check_image_refused(elf.bytes(), each.message);
    }
  }
}

TEST_CASE("a segment over the hole of a guest with high memory is refused") {
  Elf64 elf = plain_elf<Elf64>();
  elf.add(0xbfff'f000, filled(1, 0), 0x1000);
  check_image_refused(elf.bytes(), "over the hole for devices between 0xc0000000 and 0x100000000", 5 * gib);
}

TEST_CASE("an ELF cut off within its headers is refused") {
  const Bytes whole = plain_elf<Elf64>().bytes();
  for (const std::size_t size : {4UL, 15UL, 16UL, 63UL, 64UL, 119UL, 120UL, whole.size() - 1}) {
    DYNAMIC_SECTION(size << " bytes") {
      check_image_refused(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)), "image: ");
    }
  }
}

TEST_CASE("an ELF32 that names no boot protocol is refused, and the message says what is supported") {
  const Bytes file = plain_elf<Elf32>().bytes();
  check_image_refused(file, "neither a PVH note nor a multiboot header");
  check_image_refused(file, "what can be booted is a Linux bzImage");
}

TEST_CASE("an ELF32 for another machine is refused") {
  Elf32 elf = plain_elf<Elf32>();
  elf.header.e_machine = EM_ARM;
  check_image_refused(elf.bytes(), "ELF32 for machine 40, not for x86 (3)");
}

TEST_CASE("an initrd, modules or a command line for a plain ELF64 are refused") {
  const Bytes file = plain_elf<Elf64>().bytes();
  Inputs inputs = image_named("image", file);
  SECTION("initrd") {
    inputs.initrd = File{"initrd", file};
    check_refused(inputs, "takes no initrd");
  }
  SECTION("module") {
    inputs.modules = {File{"module", file}};
    check_refused(inputs, "takes no modules");
  }
  SECTION("command line") {
    inputs.command_line = "n=1";
    check_refused(inputs, "takes no command line");
  }
}

}  // namespace kvmbench::boot::test
