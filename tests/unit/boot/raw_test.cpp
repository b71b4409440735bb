#include <catch2/catch.hpp>

#include "images.hpp"

namespace kvmbench::boot::test {
namespace {

const Bytes code = filled(512, 0xf4);

Inputs raw_image(RawOptions options) {
  Inputs inputs = image_named("image", code);
  inputs.raw = options;
  return inputs;
}

}  // namespace

TEST_CASE("a raw binary is loaded and entered at 1 MiB, in 16-bit mode at 0x7c00") {
  struct Expected {
    CpuMode mode;
    std::uint64_t address, stack;
  };
  const Expected expected[] = {{CpuMode::long64, mib, 0x1'0000},
                               {CpuMode::protected32, mib, 0x1'0000},
                               {CpuMode::real16, 0x7c00, 0x7c00}};
  for (const Expected& each : expected) {
    GuestMemory memory(16 * mib);
    const Loaded loaded = load(raw_image({.mode = each.mode, .load_address = {}, .entry = {}}), memory);
    CHECK(loaded.protocol == Protocol::raw);
    CHECK(loaded.entry.mode == each.mode);
    CHECK(loaded.entry.rip == each.address);
    CHECK(loaded.entry.rsp == each.stack);
    CHECK(bytes_at(memory, each.address, code.size()) == code);
  }
}

TEST_CASE("a raw binary is loaded and entered where one asks") {
  GuestMemory memory(16 * mib);
  const Loaded loaded = load(
      raw_image({.mode = CpuMode::protected32, .load_address = 4 * mib, .entry = 4 * mib + 0x10}), memory);
  CHECK(loaded.entry.rip == 4 * mib + 0x10);
  CHECK(bytes_at(memory, 4 * mib, code.size()) == code);
}

TEST_CASE("in 16-bit mode a raw binary may lie where the boot structures would be") {
  GuestMemory memory(16 * mib);
  CHECK(load(raw_image({.mode = CpuMode::real16, .load_address = 0x500, .entry = {}}), memory).entry.rip ==
        0x500);
}

TEST_CASE("a file is raw whatever its content where raw is asked for") {
  const Bytes file = plain_elf<Elf64>().bytes();
  Inputs inputs = image_named("image", file);
  inputs.raw = RawOptions{};
  GuestMemory memory(16 * mib);
  CHECK(load(inputs, memory).protocol == Protocol::raw);
  CHECK(bytes_at(memory, mib, file.size()) == file);
}

TEST_CASE("a raw binary that cannot be placed or entered is refused") {
  const auto refused = [](RawOptions options, std::string_view part) {
    check_refused(raw_image(options), part);
  };
  using enum CpuMode;
  refused({.mode = long64, .load_address = 16 * mib - 511, .entry = {}}, "past the guest's memory");
  refused({.mode = long64, .load_address = 0xc000'0000, .entry = {}}, "over the hole");
  refused({.mode = long64, .load_address = ~std::uint64_t{0}, .entry = {}}, "wraps around");
  refused({.mode = long64, .load_address = 0x9000, .entry = {}}, "boot page tables");
  refused({.mode = protected32, .load_address = 0x4ff, .entry = {}}, "boot GDT");
  refused({.mode = real16, .load_address = 0xf'fff0, .entry = {}}, "BIOS area");
  refused({.mode = long64, .load_address = {}, .entry = mib + 512}, "entry point 0x100200 lies outside");
  refused({.mode = long64, .load_address = {}, .entry = mib - 1}, "entry point 0xfffff lies outside");
  refused({.mode = real16, .load_address = 0x1'0000, .entry = {}}, "not below 0x10000");
}

TEST_CASE("a raw long-mode binary above 4 GiB is refused: the identity map ends there") {
  check_refused(raw_image({.mode = CpuMode::long64, .load_address = 0x1'0000'0000, .entry = {}}),
                "not below 0x100000000", 5 * gib);
}

TEST_CASE("what a raw binary cannot take is refused") {
  Inputs inputs = raw_image({});
  SECTION("nothing at all") {
    inputs.image.bytes = {};
    check_refused(inputs, "is an empty file");
  }
  SECTION("a command line") {
    inputs.command_line = std::string("x");
    check_refused(inputs, "takes no command line");
  }
  SECTION("an initrd") {
    inputs.initrd = File{"initrd", code};
    check_refused(inputs, "takes no initrd");
  }
  SECTION("modules") {
    inputs.modules = {File{"module", code}};
    check_refused(inputs, "takes no modules");
  }
}

}  // namespace kvmbench::boot::test
