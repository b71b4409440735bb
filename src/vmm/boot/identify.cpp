#include "vmm/boot/identify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "vmm/boot/elf_file.hpp"
#include "vmm/boot/gunzip.hpp"

namespace kvmbench::boot {
namespace {

using std::string_view_literals::operator""sv;

struct KnownFile {
  std::size_t offset;
  std::string_view magic;
  std::string_view what;
};

constexpr KnownFile known_files[] = {
    {0,
     "\xfd"
     "7zXZ\0"sv,
     "an xz-compressed file; unpack it first"},
    {0, "\x28\xb5\x2f\xfd"sv, "a zstd-compressed file; unpack it first"},
    {0, "BZh"sv, "a bzip2-compressed file; unpack it first"},
    {0, "QFI\xfb"sv, "a qcow2 disk image, not a kernel"},
    {0, "070701"sv, "a cpio archive, which is an initrd rather than an image"},
    {0, "MZ"sv, "a PE file (an EFI or Windows program) that is no Linux kernel"},
    {510, "\x55\xaa"sv, "a boot sector or disk image; it runs with --mode 16"},
};

constexpr std::size_t shown_bytes = 8;

}  // namespace

std::string describe(std::span<const std::byte> bytes) {
  if (bytes.empty()) return "an empty file";
  if (is_gzip(bytes)) return "a gzip file";
  if (is_elf(bytes)) return "an ELF32 file with neither a PVH note nor a multiboot header";
  for (const KnownFile& known : known_files) {
    if (bytes.size() < known.offset + known.magic.size()) continue;
    if (std::memcmp(bytes.data() + known.offset, known.magic.data(), known.magic.size()) == 0) {
      return std::string(known.what);
    }
  }
  std::string shown;
  for (const std::byte byte : bytes.first(std::min(bytes.size(), shown_bytes))) {
    shown += fmt::format(" {:02x}", std::to_integer<unsigned>(byte));
  }
  return fmt::format("a file of {} bytes that begins with{}", bytes.size(), shown);
}

std::string supported_formats() {
  return "a Linux bzImage (x86-64), an ELF32 or ELF64 with a PVH entry note or a multiboot header, any other "
         "static "
         "ELF64, each also gzip-compressed, or with --mode a raw binary";
}

}  // namespace kvmbench::boot
