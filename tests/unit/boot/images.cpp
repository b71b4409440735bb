#include "images.hpp"

#include <zlib.h>

#include <algorithm>

namespace kvmbench::boot::test {

Bytes filled(std::size_t size, unsigned value) {
  return Bytes(size, static_cast<std::byte>(value));
}

Bytes text(std::string_view characters) {
  const auto bytes = std::as_bytes(std::span(characters));
  return {bytes.begin(), bytes.end()};
}

Bytes gzipped(const Bytes& bytes) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes packed(deflateBound(&stream, bytes.size()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string string_at(const GuestMemory& memory, std::uint64_t address) {
  std::string found;
  while (true) {
    const auto c = memory.load<char>(Gpa{address++});
    REQUIRE(c);
    if (*c == '\0') return found;
    found += *c;
  }
}

Bytes bytes_at(const GuestMemory& memory, std::uint64_t address, std::size_t count) {
  Bytes bytes(count);
  REQUIRE(memory.read(Gpa{address}, bytes));
  return bytes;
}

void check_refused(const Inputs& inputs, std::string_view part, std::uint64_t memory_size) {
  GuestMemory memory(memory_size);
  try {
    (void)load(inputs, memory);
    FAIL("the image was loaded");
  } catch (const UsageError& error) {
    CHECK_THAT(error.what(), Catch::Matchers::Contains(std::string(part)));
  }
  const auto low = memory.regions().front().bytes.first(mib);
  CHECK(std::all_of(low.begin(), low.end(), [](std::byte byte) { return byte == std::byte{0}; }));
}

BzImage::BzImage() {
  header.setup_sects = 1;
  header.boot_flag = 0xaa55;
  header.jump = 0x6aeb;  // jmp to 0x202 + 0x6a, the end of this header
  std::memcpy(&header.header, "HdrS", 4);
  header.version = 0x020f;
  header.loadflags = LOADED_HIGH;
  header.initrd_addr_max = 0x7fff'ffff;
  header.kernel_alignment = 2 * mib;
  header.relocatable_kernel = 1;
  header.xloadflags = XLF_KERNEL_64;
  header.cmdline_size = 2047;
  header.payload_offset = 1024;
  header.payload_length = 4096;
  header.pref_address = 16 * mib;
  header.init_size = mib;
  header.syssize = static_cast<std::uint32_t>(code.size() / 16);
}

Bytes BzImage::bytes() const {
  Bytes file = filled(1024, 0);
  put(file, 0, std::uint16_t{0x5a4d});  // "MZ", as an EFI stub has it
  put(file, offsetof(boot_params, hdr), header);
  put_bytes(file, 1024, code);
  return file;
}

}  // namespace kvmbench::boot::test
