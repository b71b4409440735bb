#include "vmm/boot/boot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/error.hpp"
#include "vmm/boot/gunzip.hpp"
#include "vmm/boot/identify.hpp"
#include "vmm/boot/protocols.hpp"

namespace kvmbench::boot {
namespace {

/// No image is larger, however much memory the guest has.
constexpr std::uint64_t unpacked_limit = std::uint64_t{4} << 30;

Loaded load_unpacked(const Inputs& inputs, bool was_gzip, GuestMemory& memory) {
  const auto& bytes = inputs.image.bytes;
  if (inputs.raw) return {Protocol::raw, load_raw(inputs, memory)};
  if (is_bzimage(bytes)) return {Protocol::linux64, load_linux(inputs, memory)};

  const auto multiboot = find_multiboot_header(bytes);
  if (is_elf(bytes)) {
    const ElfFile elf(inputs.image);
    if (pvh_entry(elf)) return {Protocol::pvh, load_pvh(inputs, elf, memory)};
    if (multiboot) return {Protocol::multiboot, load_multiboot(inputs, *multiboot, &elf, memory)};
    if (elf.is_64()) return {Protocol::elf64, load_elf64(inputs, elf, memory)};
  } else if (multiboot && multiboot->has_addresses()) {
    return {Protocol::multiboot, load_multiboot(inputs, *multiboot, nullptr, memory)};
  }
  throw UsageError(fmt::format("{}: {} {}; what can be booted is {}", inputs.image.name,
                               was_gzip ? "unpacks to" : "is", describe(bytes), supported_formats()));
}

}  // namespace

std::string_view name_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::linux64:
      return "Linux 64-bit";
    case Protocol::pvh:
      return "PVH";
    case Protocol::multiboot:
      return "multiboot";
    case Protocol::elf64:
      return "plain ELF64";
    case Protocol::raw:
      return "raw binary";
  }
  return "unknown";
}

Loaded load(const Inputs& inputs, GuestMemory& memory) {
  if (!is_gzip(inputs.image.bytes)) return load_unpacked(inputs, false, memory);
  const auto bytes = gunzip(inputs.image, std::min(memory.size(), unpacked_limit));
  Inputs unpacked = inputs;
  unpacked.image.bytes = bytes;
  return load_unpacked(unpacked, true, memory);
}

}  // namespace kvmbench::boot
