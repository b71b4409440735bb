#include <catch2/catch.hpp>

#include "images.hpp"

namespace kvmbench::boot::test {

TEST_CASE("an image is told by its content, whatever its name") {
  const Bytes kernel = BzImage().bytes();
  const Bytes elf = plain_elf<Elf64>().bytes();
  GuestMemory one(64 * mib);
  GuestMemory other(64 * mib);
  CHECK(load(image_named("kernel.elf", kernel), one).protocol == Protocol::linux64);
  CHECK(load(image_named("bzImage", elf), other).protocol == Protocol::elf64);
}

TEST_CASE("each protocol has a name") {
  CHECK(name_of(Protocol::linux64) == "Linux 64-bit");
  CHECK(name_of(Protocol::pvh) == "PVH");
  CHECK(name_of(Protocol::multiboot) == "multiboot");
  CHECK(name_of(Protocol::elf64) == "plain ELF64");
  CHECK(name_of(Protocol::raw) == "raw binary");
}

TEST_CASE("a gzip-compressed image is unpacked") {
  const Bytes kernel = gzipped(BzImage().bytes());
  const Bytes elf = gzipped(plain_elf<Elf64>().bytes());
  GuestMemory one(64 * mib);
  GuestMemory other(64 * mib);
  CHECK(load(image_named("vmlinuz.gz", kernel), one).protocol == Protocol::linux64);
  CHECK(load(image_named("guest.gz", elf), other).protocol == Protocol::elf64);
  CHECK(bytes_at(other, mib, 8192) == filled(8192, 0x90));
}

TEST_CASE("the members of a gzip file are one after the other, what follows them is ignored") {
  const Bytes whole = plain_elf<Elf64>().bytes();
  Bytes file = gzipped(Bytes(whole.begin(), whole.begin() + 1000));
  put_bytes(file, file.size(), gzipped(Bytes(whole.begin() + 1000, whole.end())));
  file.resize(file.size() + 512);
  GuestMemory memory(16 * mib);
  (void)load(image_named("guest", file), memory);
  CHECK(bytes_at(memory, mib, 8192) == filled(8192, 0x90));
}

TEST_CASE("a gzip file larger than its first output buffer is unpacked whole") {
  Elf64 elf;
  elf.add(mib, filled(5 * mib, 0x5a));
  elf.header.e_entry = mib;
  const Bytes file = gzipped(elf.bytes());
  GuestMemory memory(16 * mib);
  (void)load(image_named("guest", file), memory);
  CHECK(bytes_at(memory, mib, 5 * mib) == filled(5 * mib, 0x5a));
}

TEST_CASE("a gzip file that is cut off or damaged is refused") {
  Bytes file = gzipped(plain_elf<Elf64>().bytes());
  SECTION("cut off") {
    file.resize(file.size() / 2);
    check_image_refused(file, "image: is a gzip file that is cut off");
  }
  SECTION("cut off within its header") {
    file.resize(5);
    check_image_refused(file, "image: is a gzip file that is cut off");
  }
  SECTION("with a wrong checksum") {
    file[file.size() - 8] ^= std::byte{1};
    check_image_refused(file, "image: is a damaged gzip file");
  }
}

TEST_CASE("a gzip file that unpacks to more than guest memory is refused") {
  check_image_refused(gzipped(filled(17 * mib, 0)), "unpacks to more than 16777216 bytes", 16 * mib);
}

TEST_CASE("what cannot be booted is named, and what can is listed") {
  struct Unbootable {
    Bytes file;
    const char* message;
  };
  Bytes boot_sector = filled(512, 0);
  put(boot_sector, 510, std::uint16_t{0xaa55});
  const Unbootable unbootable[] = {
      {{}, "image: is an empty file"},
      {filled(1, 0x41), "image: is a file of 1 bytes that begins with 41"},
      {text("#!/bin/sh\necho\n"), "image: is a file of 15 bytes that begins with 23 21 2f 62 69 6e 2f 73;"},
      {text(std::string_view("\xfd"
                             "7zXZ\0",
                             6)),
       "image: is an xz-compressed file"},
      {text("\x28\xb5\x2f\xfd...."), "image: is a zstd-compressed file"},
      {text("BZh9"), "image: is a bzip2-compressed file"},
      {text("QFI\xfb"), "image: is a qcow2 disk image"},
      {text("070701"), "image: is a cpio archive"},
      {text("MZ not Linux"), "image: is a PE file"},
      {boot_sector, "image: is a boot sector or disk image; it runs with --mode 16"},
      {gzipped(text("hello")), "image: unpacks to a file of 5 bytes that begins with 68 65 6c 6c 6f;"},
      {gzipped(gzipped(plain_elf<Elf64>().bytes())), "image: unpacks to a gzip file"},
  };
  for (const Unbootable& each : unbootable) {
    check_image_refused(each.file, each.message);
    check_image_refused(each.file, "what can be booted is a Linux bzImage");
  }
}

}  // namespace kvmbench::boot::test
