/// Any bytes as an image: they are refused with a UsageError, or what is then handed to the guest lies in its
/// memory.
///
/// The first byte of the input chooses what else is given; the rest is the image.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "base/error.hpp"
#include "memory/guest_memory.hpp"
#include "vmm/boot/boot.hpp"

namespace {

using namespace kvmbench;
using namespace kvmbench::boot;

constexpr std::uint64_t memory_size = 16 << 20;

enum Choice : unsigned {
  with_initrd = 1 << 0,
  with_modules = 1 << 1,
  with_command_line = 1 << 2,
  with_long_command_line = 1 << 3,
  as_raw = 1 << 4,
  raw_mode_shift = 5,
};

Inputs inputs_for(unsigned choice, std::span<const std::byte> image) {
  static const std::string blob(5000, 'm');
  const File file{"blob", std::as_bytes(std::span(blob))};
  Inputs inputs;
  inputs.image = {"image", image};
  if (choice & with_initrd) inputs.initrd = file;
  if (choice & with_modules) inputs.modules = {file, file};
  if (choice & with_command_line) inputs.command_line = "console=ttyS0";
  if (choice & with_long_command_line) inputs.command_line.append(3000, 'x');
  if (choice & as_raw) {
    constexpr CpuMode modes[] = {CpuMode::real16, CpuMode::protected32, CpuMode::long64, CpuMode::long64};
    inputs.raw = RawOptions{.mode = modes[choice >> raw_mode_shift & 3], .load_address = {}, .entry = {}};
  }
  return inputs;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto image = std::as_bytes(std::span(data, size)).subspan(1);
  GuestMemory memory(memory_size);
  try {
    const Loaded loaded = load(inputs_for(data[0], image), memory);
    if (memory.range(Gpa{loaded.entry.rip}, 1).empty()) std::abort();
  } catch (const UsageError&) {
  }
  return 0;
}
