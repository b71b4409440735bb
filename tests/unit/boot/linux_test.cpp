// Expected values: Documentation/arch/x86/boot.rst of the Linux kernel.
#include <catch2/catch.hpp>

#include "images.hpp"
#include "memory/memory_map.hpp"

namespace kvmbench::boot::test {
namespace {

constexpr std::uint64_t zero_page_at = 0x1000;
constexpr std::uint64_t command_line_at = 0x2'0000;

boot_params zero_page(const GuestMemory& memory) {
  return memory.load<boot_params>(Gpa{zero_page_at}).value();
}

struct BadHeader {
  const char* what;
  std::function<void(setup_header&)> damage;
  const char* message;
};

}  // namespace

TEST_CASE("a bzImage is loaded at its preferred address and entered 0x200 into it") {
  BzImage image;
  image.code[0x200] = std::byte{0x42};
  const Bytes file = image.bytes();
  GuestMemory memory(64 * mib);

  const Loaded loaded = load(image_named("vmlinuz", file), memory);

  CHECK(loaded.protocol == Protocol::linux64);
  CHECK(loaded.entry.mode == CpuMode::long64);
  CHECK(loaded.entry.rip == 16 * mib + 0x200);
  CHECK(loaded.entry.rsi == zero_page_at);
  CHECK(loaded.entry.rsp == 0x1'0000);
  CHECK(loaded.entry.rax == 0);
  CHECK(loaded.entry.rbx == 0);
  CHECK(bytes_at(memory, 16 * mib, image.code.size()) == image.code);
}

TEST_CASE("the zero page has the kernel's setup header and the boot loader's fields") {
  BzImage image;
  image.header.vid_mode = 0xffff;
  image.header.root_dev = 0x1234;
  const Bytes file = image.bytes();
  Inputs inputs = image_named("vmlinuz", file);
  inputs.command_line = "console=ttyS0 quiet";
  inputs.rsdp = Gpa{0xe'0000};
  GuestMemory memory(64 * mib);
  (void)load(inputs, memory);

  const boot_params page = zero_page(memory);
  CHECK(page.hdr.boot_flag == 0xaa55);
  CHECK(page.hdr.version == 0x020f);
  CHECK(page.hdr.vid_mode == 0xffff);
  CHECK(page.hdr.root_dev == 0x1234);
  CHECK(page.hdr.init_size == mib);
  CHECK(page.hdr.type_of_loader == 0xff);
  CHECK(page.hdr.code32_start == 16 * mib);
  CHECK(page.hdr.cmd_line_ptr == command_line_at);
  CHECK(page.ext_cmd_line_ptr == 0);
  CHECK(page.hdr.ramdisk_image == 0);
  CHECK(page.hdr.ramdisk_size == 0);
  CHECK(page.hdr.setup_data == 0);
  CHECK(page.acpi_rsdp_addr == 0xe'0000);
  CHECK(page.sentinel == 0);
  CHECK(string_at(memory, command_line_at) == "console=ttyS0 quiet");
}

TEST_CASE("only the setup header is taken from the file, as far as its own length says") {
  const BzImage image;
  Bytes file = image.bytes();
  put(file, 0x1ef, std::uint8_t{0xff});     // the sentinel, before the header
  put(file, 0x26c, std::uint32_t{0xdead});  // after its end: 0x202 + 0x6a
  GuestMemory memory(64 * mib);
  (void)load(image_named("vmlinuz", file), memory);

  CHECK(zero_page(memory).sentinel == 0);
  CHECK(memory.load<std::uint32_t>(Gpa{zero_page_at + 0x26c}) == 0U);
}

TEST_CASE("e820 tells RAM below and above the hole, and what is reserved") {
  const Bytes file = BzImage().bytes();
  GuestMemory memory(5 * gib);
  (void)load(image_named("vmlinuz", file), memory);

  const boot_params page = zero_page(memory);
  struct Expected {
    std::uint64_t start, end;
    std::uint32_t type;
  };
  const Expected expected[] = {{0, 0x9'fc00, 1},
                               {0x9'fc00, 0x10'0000, 2},
                               {0x10'0000, 0xc000'0000, 1},
                               {0xfffb'c000, 0xfffc'0000, 2},
                               {0x1'0000'0000, 0x1'8000'0000, 1}};
  REQUIRE(page.e820_entries == std::size(expected));
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    const boot_e820_entry entry = page.e820_table[i];
    CHECK(entry.addr == expected[i].start);
    CHECK(entry.size == expected[i].end - expected[i].start);
    CHECK(entry.type == expected[i].type);
  }
}

TEST_CASE("an initrd lies page-aligned at the end of low RAM") {
  const Bytes file = BzImage().bytes();
  const Bytes initrd = filled(5000, 0x77);
  Inputs inputs = image_named("vmlinuz", file);
  inputs.initrd = File{"initrd", initrd};
  GuestMemory memory(64 * mib);
  (void)load(inputs, memory);

  const boot_params page = zero_page(memory);
  CHECK(page.hdr.ramdisk_image == 64 * mib - 2 * 4096);
  CHECK(page.hdr.ramdisk_size == 5000);
  CHECK(page.ext_ramdisk_image == 0);
  CHECK(page.ext_ramdisk_size == 0);
  CHECK(bytes_at(memory, page.hdr.ramdisk_image, 5000) == initrd);
}

TEST_CASE("an initrd's last byte lies at or below initrd_addr_max") {
  BzImage image;
  image.header.initrd_addr_max = 0x01ff'ffff;  // 32 MiB
  const Bytes file = image.bytes();
  const Bytes initrd = filled(4096, 0x77);
  Inputs inputs = image_named("vmlinuz", file);
  inputs.initrd = File{"initrd", initrd};
  GuestMemory memory(64 * mib);
  (void)load(inputs, memory);
  CHECK(zero_page(memory).hdr.ramdisk_image == 32 * mib - 4096);
}

TEST_CASE("an initrd goes below a kernel that has the end of memory") {
  BzImage image;
  image.header.init_size = 16 * mib;
  const Bytes file = image.bytes();
  const Bytes initrd = filled(4096, 0x77);
  Inputs inputs = image_named("vmlinuz", file);
  inputs.initrd = File{"initrd", initrd};
  GuestMemory memory(32 * mib);
  (void)load(inputs, memory);
  CHECK(zero_page(memory).hdr.ramdisk_image == 16 * mib - 4096);
}

TEST_CASE("a relocatable kernel is loaded at its preferred address rounded up to its alignment") {
  BzImage image;
  image.header.pref_address = 17 * mib;
  image.header.kernel_alignment = 4 * mib;
  const Bytes file = image.bytes();
  GuestMemory memory(64 * mib);
  CHECK(load(image_named("vmlinuz", file), memory).entry.rip == 20 * mib + 0x200);
}

TEST_CASE("a kernel that is not relocatable is loaded at 1 MiB") {
  BzImage image;
  image.header.relocatable_kernel = 0;
  const Bytes file = image.bytes();
  GuestMemory memory(64 * mib);
  CHECK(load(image_named("vmlinuz", file), memory).entry.rip == mib + 0x200);
}

TEST_CASE("a setup_sects of 0 stands for 4") {
  BzImage image;
  image.header.setup_sects = 0;
  Bytes file = image.bytes();
  file.insert(file.begin() + 1024, 3 * 512, std::byte{0});
  GuestMemory memory(64 * mib);
  (void)load(image_named("vmlinuz", file), memory);
  CHECK(bytes_at(memory, 16 * mib, image.code.size()) == image.code);
}

TEST_CASE("a certificate after the kernel's own end does no harm") {
  Bytes file = BzImage().bytes();
  file.resize(file.size() + 1500, std::byte{0x30});
  GuestMemory memory(64 * mib);
  CHECK(load(image_named("vmlinuz", file), memory).protocol == Protocol::linux64);
}

TEST_CASE("a bzImage with a damaged or unusable header is refused") {
  const BadHeader bad[] = {
      {"boot flag", [](setup_header& h) { h.boot_flag = 0; }, "boot flag 0x0000"},
      {"version", [](setup_header& h) { h.version = 0x020b; }, "boot protocol 2.11"},
      {"32-bit kernel", [](setup_header& h) { h.xloadflags = 0; }, "32-bit kernel"},
      {"zImage", [](setup_header& h) { h.loadflags = 0; }, "zImage"},
      {"alignment", [](setup_header& h) { h.kernel_alignment = 3; }, "kernel_alignment 0x3"},
      {"alignment 0", [](setup_header& h) { h.kernel_alignment = 0; }, "kernel_alignment 0x0"},
      {"header length", [](setup_header& h) { h.jump = 0x10eb; }, "too short"},
      {"setup_sects", [](setup_header& h) { h.setup_sects = 64; }, "cut off"},
      {"syssize", [](setup_header& h) { h.syssize = 8192 / 16 + 1; }, "cut off"},
      {"payload offset", [](setup_header& h) { h.payload_offset = 0xffff'f000; }, "cut off"},
      {"payload length", [](setup_header& h) { h.payload_length = 8192 - 1024 + 1; }, "cut off"},
      {"pref_address", [](setup_header& h) { h.pref_address = 0xffff'ffff'ffff'ffff; }, "above 4 GiB"},
      {"rounded address", [](setup_header& h) { h.pref_address = 0xffff'f000; }, "above 4 GiB"},
      {"init_size", [](setup_header& h) { h.init_size = 48 * mib + 1; }, "past the guest's memory of 64 MiB"},
      {"over the hole",
       [](setup_header& h) {
         h.pref_address = 0xbfe0'0000;
         h.init_size = 8 * mib;
       },
       "hole"},
  };
  for (const BadHeader& each : bad) {
    DYNAMIC_SECTION(each.what) {
      BzImage image;
      each.damage(image.header);
      check_image_refused(image.bytes(), each.message, 64 * mib);
    }
  }
}

TEST_CASE("a bzImage cut off anywhere after its magic number is refused") {
  const Bytes whole = BzImage().bytes();
  for (const std::size_t size :
       {0x206UL, 0x240UL, 0x268UL, 0x26cUL, 1023UL, 1024UL, 1025UL, 1024UL + 0x200, 9215UL - 15}) {
    DYNAMIC_SECTION(size << " bytes") {
      check_image_refused(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)), "cut off",
                          64 * mib);
    }
  }
}

TEST_CASE("a kernel that does not fit into guest memory is refused") {
  check_image_refused(BzImage().bytes(), "past the guest's memory of 16 MiB", 16 * mib);
}

TEST_CASE("a command line as long as cmdline_size is taken, one longer is refused") {
  const Bytes file = BzImage().bytes();
  Inputs inputs = image_named("image", file);
  inputs.command_line = std::string(2047, 'x');
  GuestMemory memory(64 * mib);
  (void)load(inputs, memory);
  CHECK(string_at(memory, command_line_at) == inputs.command_line);

  inputs.command_line += 'x';
  check_refused(inputs, "2048 characters; the image takes at most 2047", 64 * mib);
}

TEST_CASE("a command line longer than the room for it is refused whatever the kernel says") {
  BzImage image;
  image.header.cmdline_size = 0xffff'ffff;
  const Bytes file = image.bytes();
  Inputs inputs = image_named("image", file);
  inputs.command_line = std::string(65536, 'x');
  check_refused(inputs, "at most 65535", 64 * mib);
}

TEST_CASE("an initrd that does not fit, or is empty, is refused") {
  const Bytes file = BzImage().bytes();
  Inputs inputs = image_named("image", file);
  const Bytes large = filled(47 * mib + 1, 0x77);
  inputs.initrd = File{"initrd.img", large};
  check_refused(inputs, "initrd.img: its 49283073 bytes do not fit", 64 * mib);
  inputs.initrd = File{"initrd.img", {}};
  check_refused(inputs, "initrd.img: is an empty file", 64 * mib);
}

TEST_CASE("modules for a Linux kernel are refused") {
  const Bytes file = BzImage().bytes();
  Inputs inputs = image_named("image", file);
  inputs.modules = {File{"module", file}};
  check_refused(inputs, "takes no modules", 64 * mib);
}

}  // namespace kvmbench::boot::test
