// What is expected here is what ATA/ATAPI-6 says, in numbers of its own.
#include <array>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "devices/ata/channel.hpp"
#include "fakes.hpp"
#include "memory_storage.hpp"

using namespace kvmbench;
using namespace kvmbench::test;

namespace {

constexpr std::uint64_t sectors = 1000;

// Status: BSY 80h, DRDY 40h, DF 20h, bit 4 (seek complete once) 10h, DRQ 08h, ERR 01h.
constexpr unsigned ready = 0x50, busy = 0x80, data = 0x58, failed = 0x51;
// Error: UNC 40h, IDNF 10h, ABRT 04h.
constexpr unsigned unc = 0x40, idnf = 0x10, abrt = 0x04;

using Sector = std::array<std::uint8_t, 512>;

Sector pattern(std::uint64_t lba) {
  Sector sector;
  for (std::size_t i = 0; i < sector.size(); ++i) {
    sector[i] = static_cast<std::uint8_t>(lba * 7 + i * 3 + i / 256);
  }
  return sector;
}

/// The 16 bits at byte `at`, as the data register moves them.
unsigned word_at(const Sector& sector, std::size_t at) {
  return sector[at] | unsigned{sector[at + 1]} << 8;
}

/// A channel with one disk or two, and a host that knows the ports.
struct Host {
  explicit Host(std::uint64_t size = sectors, bool two = false, bool read_only = false)
      : disk(size, read_only), second(sectors / 2) {
    for (std::uint64_t lba = 0; lba < std::min<std::uint64_t>(size, sectors); ++lba) put(disk, lba);
    const ata::DriveConfig first{&disk, "disk0"}, other{&second, "disk1"};
    channel.emplace("ata0", line, first, two ? &other : nullptr);
  }

  static void put(MemoryStorage& storage, std::uint64_t lba) {
    const Sector sector = pattern(lba);
    std::memcpy(storage.bytes.data() + lba * 512, sector.data(), sector.size());
  }
  Sector on_disk(std::uint64_t lba) {
    Sector sector;
    std::memcpy(sector.data(), disk.bytes.data() + lba * 512, sector.size());
    return sector;
  }

  void out(unsigned offset, unsigned value) { channel->write(offset, 1, value); }
  unsigned in(unsigned offset) { return static_cast<unsigned>(channel->read(offset, 1)); }
  unsigned alternate_status() { return in(8); }
  unsigned status() { return in(7); }
  void device_control(unsigned value) { out(8, value); }

  /// LBA28.
  void command(unsigned code, std::uint64_t lba, unsigned count) {
    out(6, 0xe0 | static_cast<unsigned>(lba >> 24));
    out(2, count);
    out(3, static_cast<unsigned>(lba & 0xff));
    out(4, static_cast<unsigned>(lba >> 8 & 0xff));
    out(5, static_cast<unsigned>(lba >> 16 & 0xff));
    out(7, code);
  }
  void command_ext(unsigned code, std::uint64_t lba, unsigned count) {
    out(6, 0x40);
    for (const unsigned shift : {24u, 0u}) {  // what is written first is the high order
      out(2, count >> (shift == 24 ? 8 : 0) & 0xff);
      out(3, static_cast<unsigned>(lba >> shift & 0xff));
      out(4, static_cast<unsigned>(lba >> (shift + 8) & 0xff));
      out(5, static_cast<unsigned>(lba >> (shift + 16) & 0xff));
    }
    out(7, code);
  }
  void features(unsigned feature, unsigned count = 0) {
    out(1, feature);
    out(2, count);
    out(7, 0xef);
  }
  Sector read_sector() {
    Sector sector;
    for (std::size_t i = 0; i < sector.size(); i += 2) {
      const auto word = channel->read(0, 2);
      sector[i] = static_cast<std::uint8_t>(word);
      sector[i + 1] = static_cast<std::uint8_t>(word >> 8);
    }
    return sector;
  }
  void write_sector(const Sector& sector) {
    for (std::size_t i = 0; i < sector.size(); i += 2) channel->write(0, 2, word_at(sector, i));
  }
  std::array<unsigned, 256> identify() {
    out(7, 0xec);
    const Sector sector = read_sector();
    std::array<unsigned, 256> words;
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = word_at(sector, 2 * i);
    return words;
  }
  /// Reads until the command ends or stops giving data; each block begins with an interrupt.
  std::vector<Sector> read_all(unsigned per_block) {
    std::vector<Sector> read;
    while (true) {
      disk.serve_all();
      if (!line.level || (status() & 0x08) == 0) return read;
      CHECK_FALSE(line.level);
      for (unsigned i = 0; i < per_block && (alternate_status() & 0x08) != 0; ++i)
        read.push_back(read_sector());
    }
  }
  std::uint64_t operation(std::string_view name) {
    for (const Operation& one : channel->operations()) {
      if (one.name == name) return one.count;
    }
    FAIL("no operation " << name);
    return 0;
  }

  MemoryStorage disk;
  MemoryStorage second;
  RecordingLine line;
  std::optional<ata::Channel> channel;
};

unsigned lba28(Host& host) {
  return (host.in(6) & 0xf) << 24 | host.in(5) << 16 | host.in(4) << 8 | host.in(3);
}

}  // namespace

TEST_CASE("after power-on a disk shows the signature of a disk", "[ata]") {
  Host host;
  CHECK(host.alternate_status() == ready);
  CHECK(host.in(1) == 0x01);
  CHECK(host.in(2) == 0x01);
  CHECK(host.in(3) == 0x01);
  CHECK(host.in(4) == 0x00);
  CHECK(host.in(5) == 0x00);
  CHECK(host.in(6) == 0x00);
  CHECK_FALSE(host.line.level);
}

TEST_CASE("IDENTIFY DEVICE describes a disk of LBA, 48-bit addresses and PIO", "[ata]") {
  Host host;
  host.out(7, 0xec);
  CHECK(host.alternate_status() == data);
  CHECK(host.line.level);
  CHECK(host.status() == data);
  CHECK_FALSE(host.line.level);  // reading Status clears the interrupt
  const std::array<unsigned, 256> words =
      host.identify();  // a command while DRQ is dropped: it is the same one
  CHECK(host.alternate_status() == ready);
  CHECK((words[0] & 0x8000) == 0);
  CHECK(words[1] == 0);  // 1000 / (16 * 63): less than a cylinder
  CHECK(words[3] == 16);
  CHECK(words[6] == 63);
  CHECK(words[47] == 0x8010);  // 16 sectors an interrupt
  CHECK((words[49] & 0x0200) != 0);
  CHECK((words[49] & 0x0100) == 0);
  CHECK((words[53] & 0x3) == 0x3);
  CHECK(words[59] == 0x0110);
  CHECK((words[60] | words[61] << 16) == sectors);
  CHECK(words[63] == 0);
  CHECK((words[64] & 0x3) == 0x3);
  CHECK((words[80] & 0x40) != 0);         // ATA/ATAPI-6
  CHECK((words[83] & 0xc000) == 0x4000);  // valid
  CHECK((words[83] & 0x3400) == 0x3400);  // FLUSH CACHE, FLUSH CACHE EXT, 48-bit addresses
  CHECK((words[82] & 0x0020) != 0);       // write cache
  CHECK((words[85] & 0x0020) != 0);       // and it is on
  CHECK(words[88] == 0);
  CHECK((words[100] | words[101] << 16) == sectors);
  CHECK((words[102] | words[103] << 16) == 0);
  std::string serial;
  for (unsigned i = 10; i < 20; ++i) {
    serial += static_cast<char>(words[i] >> 8);
    serial += static_cast<char>(words[i]);
  }
  CHECK(serial == "disk0               ");
  unsigned sum = 0;
  for (const unsigned word : words) sum += (word & 0xff) + (word >> 8);
  CHECK((words[255] & 0xff) == 0xa5);
  CHECK(sum % 256 == 0);
}

TEST_CASE("a disk beyond 28 bits shows 2^28 - 1 sectors in words 60 and 61, and all of them in 100 to 103",
          "[ata]") {
  struct Large final : BlockStorage {
    [[nodiscard]] std::uint64_t size() const noexcept override { return 0x1'2345'6789 * 512; }
    [[nodiscard]] bool read_only() const noexcept override { return false; }
    void submit(BlockRequest& request) noexcept override { last = &request; }
    [[nodiscard]] bool serve_at_once(BlockRequest&) noexcept override { return false; }
    void drain() noexcept override {}
    BlockRequest* last = nullptr;
  };
  Large large;
  Host host;
  host.channel.emplace("ata0", host.line, ata::DriveConfig{&large, ""}, nullptr);
  const auto words = host.identify();
  CHECK((words[60] | words[61] << 16) == 0x0fff'ffff);
  CHECK(words[100] == 0x6789);
  CHECK(words[101] == 0x2345);
  CHECK(words[102] == 0x0001);
  CHECK(words[1] == 16383);
  host.command_ext(0x24, 0x1'2345'6788, 1);
  REQUIRE(large.last != nullptr);
  CHECK(large.last->offset == 0x1'2345'6788 * 512);
  CHECK(large.last->length == 512);
}

TEST_CASE("READ SECTORS is busy until the storage has answered, then gives a sector an interrupt", "[ata]") {
  Host host;
  host.command(0x20, 5, 3);
  CHECK(host.alternate_status() == busy);
  CHECK_FALSE(host.line.level);
  CHECK(host.disk.waiting.size() == 1);
  host.disk.serve();
  for (std::uint64_t lba = 5; lba < 8; ++lba) {
    CHECK(host.line.level);
    CHECK(host.line.rises == lba - 4);
    CHECK(host.status() == data);
    CHECK_FALSE(host.line.level);
    CHECK(host.read_sector() == pattern(lba));
  }
  CHECK(host.alternate_status() == ready);
  CHECK_FALSE(host.line.level);  // data-in ends without an interrupt
  CHECK(host.operation("requests") == 1);
  CHECK(host.operation("bytes read") == 3 * 512);
}

TEST_CASE("a count of 0 is 256 sectors, or 65536 for 48-bit commands", "[ata]") {
  Host host(1 << 17);
  host.command(0x20, 0, 0);
  CHECK(host.read_all(1).size() == 256);
  host.command_ext(0x29, 0, 0);
  CHECK(host.read_all(16).size() == 65536);
  CHECK(host.operation("bytes read") == (256 + 65536) * 512);
}

TEST_CASE("READ MULTIPLE gives as many sectors an interrupt as were set, and the rest at the end", "[ata]") {
  Host host;
  const auto [code, extended] = GENERATE(std::pair(0xc4u, false), std::pair(0x29u, true));
  host.out(2, 4);
  host.out(7, 0xc6);
  CHECK(host.status() == ready);
  host.line.rises = 0;
  if (extended) {
    host.command_ext(code, 10, 10);
  } else {
    host.command(code, 10, 10);
  }
  const std::vector<Sector> read = host.read_all(4);
  REQUIRE(read.size() == 10);
  for (unsigned i = 0; i < 10; ++i) CHECK(read[i] == pattern(10 + i));
  CHECK(host.line.rises == 3);
  CHECK((host.identify()[59] & 0x1ff) == 0x104);
}

TEST_CASE("SET MULTIPLE MODE takes powers of two up to 16; others, and 0, turn it off", "[ata]") {
  Host host;
  for (const unsigned count : {1u, 2u, 4u, 8u, 16u}) {
    host.out(2, count);
    host.out(7, 0xc6);
    CHECK(host.status() == ready);
    CHECK(host.identify()[59] == (0x100 | count));
  }
  for (const unsigned count : {3u, 17u, 32u, 255u}) {
    host.out(2, count);
    host.out(7, 0xc6);
    CHECK(host.status() == failed);
    CHECK(host.in(1) == abrt);
    CHECK((host.identify()[59] & 0x100) == 0);
  }
  host.out(2, 0);
  host.out(7, 0xc6);
  CHECK(host.status() == ready);
  for (const unsigned code : {0xc4u, 0xc5u, 0x29u, 0x39u}) {
    host.command(code, 0, 1);
    CHECK(host.status() == failed);
    CHECK(host.in(1) == abrt);
  }
}

TEST_CASE("WRITE SECTORS asks for the first sector without an interrupt, and ends with one", "[ata]") {
  Host host;
  const auto [code, extended] = GENERATE(std::pair(0x30u, false), std::pair(0x34u, true));
  if (extended) {
    host.command_ext(code, 7, 2);
  } else {
    host.command(code, 7, 2);
  }
  CHECK(host.alternate_status() == data);
  CHECK_FALSE(host.line.level);
  host.write_sector(pattern(500));
  CHECK(host.line.level);
  CHECK(host.status() == data);
  host.write_sector(pattern(501));
  CHECK(host.alternate_status() == busy);
  CHECK_FALSE(host.line.level);
  host.disk.serve();
  CHECK(host.line.level);
  CHECK(host.status() == ready);
  CHECK(host.on_disk(6) == pattern(6));
  CHECK(host.on_disk(7) == pattern(500));
  CHECK(host.on_disk(8) == pattern(501));
  CHECK(host.on_disk(9) == pattern(9));
  CHECK(host.operation("bytes written") == 1024);
  CHECK(host.operation("requests") == 1);
}

TEST_CASE("a long WRITE MULTIPLE moves every sector to its place", "[ata]") {
  Host host;
  host.command_ext(0x39, 100, 700);
  unsigned written = 0;
  while (written < 700) {
    REQUIRE((host.status() & 0x08) != 0);
    for (unsigned i = 0; i < 16 && written < 700; ++i) host.write_sector(pattern(2000 + written++));
    host.disk.serve_all();
    CHECK(host.line.level);
  }
  CHECK(host.status() == ready);
  for (unsigned i = 0; i < 700; ++i) REQUIRE(host.on_disk(100 + i) == pattern(2000 + i));
  CHECK(host.on_disk(99) == pattern(99));
  CHECK(host.on_disk(800) == pattern(800));
}

TEST_CASE("strings and 32-bit accesses of the data register move what words do", "[ata]") {
  Host host;
  host.command(0xc4, 20, 4);
  host.disk.serve();
  std::array<std::byte, 2048> bytes;
  host.channel->read_string(0, 2, std::span(bytes).first(1024));
  host.channel->read_string(0, 4, std::span(bytes).subspan(1024, 1020));
  const std::uint64_t last = host.channel->read(0, 4);
  std::memcpy(bytes.data() + 2044, &last, 4);
  CHECK(std::equal(bytes.begin(), bytes.end(), host.disk.bytes.begin() + 20 * 512));
  CHECK(host.alternate_status() == ready);
  host.command(0xc5, 40, 4);
  host.channel->write_string(0, 2, std::span(bytes).first(1024));
  host.channel->write_string(0, 4, std::span(bytes).subspan(1024, 1020));
  host.channel->write(0, 4, last);
  host.disk.serve();
  CHECK(host.status() == ready);
  CHECK(std::equal(bytes.begin(), bytes.end(), host.disk.bytes.begin() + 40 * 512));
}

TEST_CASE("the data register gives ones and takes nothing where there is no data to move", "[ata]") {
  Host host;
  CHECK(host.channel->read(0, 2) == 0xffff);
  CHECK(host.channel->read(0, 4) == 0xffffffff);
  host.channel->write(0, 2, 0x1234);
  host.command(0x20, 0, 1);
  CHECK(host.channel->read(0, 2) == 0xffff);  // busy
  host.disk.serve();
  std::array<std::byte, 1024> bytes;
  host.channel->read_string(0, 2, bytes);
  CHECK(std::equal(bytes.begin(), bytes.begin() + 512, host.disk.bytes.begin()));
  CHECK(
      std::all_of(bytes.begin() + 512, bytes.end(), [](std::byte byte) { return byte == std::byte{0xff}; }));
  CHECK(host.alternate_status() == ready);
}

TEST_CASE("an address past the end is IDNF, and shows the first sector that there is not", "[ata]") {
  Host host;
  host.command(0x20, sectors, 1);
  CHECK(host.line.level);
  CHECK(host.status() == failed);
  CHECK(host.in(1) == idnf);
  CHECK(lba28(host) == sectors);
  for (const unsigned code : {0x20u, 0x30u, 0x40u, 0xc4u, 0xc5u}) {
    host.command(code, sectors - 1, 2);
    CHECK(host.status() == failed);
    CHECK(host.in(1) == idnf);
    CHECK(lba28(host) == sectors);
  }
  host.command_ext(0x24, 0xffff'ffff'ffff, 1);
  CHECK(host.status() == failed);
  CHECK(host.in(1) == idnf);
  CHECK(host.in(3) == 0xff);
  host.device_control(0x80);
  CHECK(host.in(5) == 0xff);
  CHECK(host.disk.kinds.empty());
}

TEST_CASE("a sector that cannot be read is UNC with its address, after the blocks before it", "[ata]") {
  Host host;
  host.disk.bad_sectors = {37};
  SECTION("READ SECTORS") {
    host.command(0x20, 30, 20);
    const std::vector<Sector> read = host.read_all(1);
    REQUIRE(read.size() == 7);
    for (unsigned i = 0; i < 7; ++i) CHECK(read[i] == pattern(30 + i));
  }
  SECTION("READ MULTIPLE") {
    host.out(2, 4);
    host.out(7, 0xc6);
    host.command(0xc4, 30, 20);
    CHECK(host.read_all(4).size() == 4);  // 30 to 33; the next block has the bad one
  }
  SECTION("the first of all") {
    host.command(0x20, 37, 1);
    CHECK(host.read_all(1).empty());
  }
  SECTION("READ VERIFY") {
    host.command(0x40, 0, 100);
    host.disk.serve_all();
    CHECK(host.line.level);
    CHECK(host.status() == failed);
  }
  CHECK(host.alternate_status() == failed);
  CHECK(host.in(1) == unc);
  CHECK(lba28(host) == 37);
  host.command(0x20, 36, 1);
  CHECK(host.read_all(1).size() == 1);
  CHECK(host.alternate_status() == ready);
}

TEST_CASE("reads that fail only as a whole give every sector", "[ata]") {
  Host host;
  host.command(0x20, 30, 20);
  host.disk.bad_sectors = {37};
  host.disk.serve();
  host.disk.bad_sectors.clear();
  CHECK(host.read_all(1).size() == 20);
  CHECK(host.alternate_status() == ready);
}

TEST_CASE("READ VERIFY moves no data and ends with an interrupt", "[ata]") {
  Host host;
  const auto [code, extended] = GENERATE(std::pair(0x40u, false), std::pair(0x42u, true));
  if (extended) {
    host.command_ext(code, 0, 700);
  } else {
    host.command(code, 0, 200);
  }
  CHECK(host.alternate_status() == busy);
  host.disk.serve_all();
  CHECK(host.line.rises == 1);
  CHECK(host.status() == ready);
  CHECK(host.operation("bytes read") == 0);
}

TEST_CASE("a write that the storage cannot do is a device fault", "[ata]") {
  Host host;
  host.command(0x30, 7, 1);
  host.write_sector(pattern(1));
  host.disk.all_fail = true;
  host.disk.serve();
  CHECK(host.line.level);
  CHECK(host.status() == 0x71);  // DRDY, DF, bit 4, ERR
  CHECK(host.in(1) == abrt);
  CHECK(lba28(host) == 7);
  host.disk.all_fail = false;
  host.out(7, 0xe7);
  host.disk.serve();
  CHECK(host.status() == ready);  // the next command clears it
}

TEST_CASE("FLUSH CACHE asks the storage to, and is busy meanwhile", "[ata]") {
  Host host;
  const unsigned code = GENERATE(0xe7u, 0xeau);
  host.out(7, code);
  CHECK(host.alternate_status() == busy);
  REQUIRE(host.disk.kinds == std::vector{BlockRequest::Kind::flush});
  host.disk.serve();
  CHECK(host.line.level);
  CHECK(host.status() == ready);
  CHECK(host.operation("flushes") == 1);
  host.disk.all_fail = true;
  host.out(7, code);
  host.disk.serve();
  CHECK(host.status() == failed);
  CHECK(host.in(1) == abrt);
  CHECK(host.operation("flushes") == 1);
}

TEST_CASE("with the write cache off, a write ends when it has been flushed", "[ata]") {
  Host host;
  host.features(0x82);
  CHECK(host.alternate_status() == busy);
  host.disk.serve();  // what was cached
  CHECK(host.status() == ready);
  CHECK((host.identify()[85] & 0x20) == 0);
  host.disk.kinds.clear();
  host.command(0x30, 3, 1);
  host.write_sector(pattern(9));
  host.disk.serve();
  CHECK(host.alternate_status() == busy);
  host.disk.serve();
  CHECK(host.status() == ready);
  CHECK(host.disk.kinds == std::vector{BlockRequest::Kind::write, BlockRequest::Kind::flush});
  host.features(0x02);
  CHECK(host.status() == ready);
  CHECK((host.identify()[85] & 0x20) != 0);
}

TEST_CASE("SET FEATURES takes PIO modes 0 to 4, and no DMA mode", "[ata]") {
  Host host;
  for (const unsigned mode : {0x00u, 0x01u, 0x08u, 0x0bu, 0x0cu}) {
    host.features(0x03, mode);
    CHECK(host.status() == ready);
  }
  for (const unsigned mode : {0x02u, 0x0du, 0x10u, 0x20u, 0x22u, 0x40u, 0x45u, 0xffu}) {
    host.features(0x03, mode);
    CHECK(host.status() == failed);
    CHECK(host.in(1) == abrt);
  }
  host.features(0x55);
  CHECK(host.status() == ready);
  CHECK((host.identify()[85] & 0x40) == 0);
  host.features(0xaa);
  CHECK((host.identify()[85] & 0x40) != 0);
  host.features(0x99);
  CHECK(host.status() == failed);
}

TEST_CASE("commands that it has not are aborted", "[ata]") {
  Host host;
  // NOP, DEVICE RESET, READ and WRITE DMA (EXT), PACKET, IDENTIFY PACKET DEVICE, SMART, SECURITY, READ NATIVE
  // MAX
  for (const unsigned code :
       {0x00u, 0x08u, 0xc8u, 0xcau, 0x25u, 0x35u, 0xa0u, 0xa1u, 0xb0u, 0xf1u, 0xf8u, 0xffu}) {
    host.line.rises = 0;
    host.out(7, code);
    CHECK(host.line.rises == 1);
    CHECK(host.status() == failed);
    CHECK(host.in(1) == abrt);
  }
  CHECK(host.disk.kinds.empty());
}

TEST_CASE("a read-only disk aborts writes and has nothing written", "[ata]") {
  Host host(sectors, false, true);
  for (const unsigned code : {0x30u, 0xc5u}) {
    host.command(code, 0, 1);
    CHECK(host.status() == failed);
    CHECK(host.in(1) == abrt);
  }
  host.command_ext(0x34, 0, 1);
  CHECK(host.status() == failed);
  CHECK(host.disk.kinds.empty());
  host.command(0x20, 3, 1);
  CHECK(host.read_all(1) == std::vector{pattern(3)});
}

TEST_CASE("cylinders, heads and sectors address by the geometry that was set", "[ata]") {
  Host host(16 * 63 * 3);
  CHECK(host.identify()[1] == 3);
  const auto read_chs = [&host](unsigned cylinder, unsigned head, unsigned sector) {
    host.out(6, 0xa0 | head);
    host.out(2, 1);
    host.out(3, sector);
    host.out(4, cylinder & 0xff);
    host.out(5, cylinder >> 8);
    host.out(7, 0x20);
    return host.read_all(1);
  };
  CHECK(read_chs(0, 0, 1) == std::vector{pattern(0)});
  CHECK(read_chs(0, 3, 7) == std::vector{pattern(3 * 63 + 6)});
  CHECK(read_chs(0, 0, 0).empty());  // sectors count from 1
  CHECK(host.in(1) == idnf);
  CHECK(read_chs(0, 0, 64).empty());
  CHECK(host.in(1) == idnf);
  CHECK(read_chs(3, 0, 1).empty());
  CHECK(host.in(1) == idnf);
  host.out(6, 0xa3);  // 4 heads
  host.out(2, 10);    // of 10 sectors a track
  host.out(7, 0x91);
  CHECK(host.status() == ready);
  CHECK(read_chs(2, 1, 3) == std::vector{pattern((2 * 4 + 1) * 10 + 2)});
  CHECK(read_chs(0, 4, 1).empty());
  const auto words = host.identify();
  CHECK(words[54] == 16 * 63 * 3 / 40);
  CHECK(words[55] == 4);
  CHECK(words[56] == 10);
  CHECK((words[57] | words[58] << 16) == 16 * 63 * 3 / 40 * 40);
  host.out(2, 0);
  host.out(7, 0x91);
  CHECK(host.status() == failed);
}

TEST_CASE("a 48-bit command wants an LBA", "[ata]") {
  Host host;
  host.out(6, 0x00);
  host.out(2, 1);
  host.out(7, 0x24);
  CHECK(host.status() == failed);
}

TEST_CASE("HOB shows what registers held before, until any of them is written", "[ata]") {
  Host host;
  host.out(3, 0x11);
  host.out(3, 0x22);
  CHECK(host.in(3) == 0x22);
  host.device_control(0x80);
  CHECK(host.in(3) == 0x11);
  host.out(4, 0x33);
  CHECK(host.in(3) == 0x22);
}

TEST_CASE("while it is busy every register shows Status, and commands and registers are dropped", "[ata]") {
  Host host;
  host.command(0x20, 5, 1);
  for (unsigned offset = 1; offset <= 8; ++offset) CHECK(host.in(offset) == busy);
  host.out(3, 99);
  host.out(7, 0xe7);
  host.disk.serve();
  CHECK(host.disk.kinds.size() == 1);
  CHECK(host.read_all(1) == std::vector{pattern(5)});
  CHECK(host.in(3) == 5);
}

TEST_CASE("nIEN keeps the interrupt from the line, and lets it out when it goes", "[ata]") {
  Host host;
  host.device_control(0x02);
  host.command(0x20, 5, 1);
  host.disk.serve();
  CHECK_FALSE(host.line.level);
  host.device_control(0x00);
  CHECK(host.line.level);
  host.device_control(0x02);
  CHECK_FALSE(host.line.level);
  CHECK(host.status() == data);
  host.device_control(0x00);
  CHECK_FALSE(host.line.level);
}

TEST_CASE("SRST makes it busy until it is cleared, and forgets what was under way", "[ata]") {
  Host host;
  SECTION("idle") {}
  SECTION("while data are read") {
    host.command(0x20, 5, 2);
    host.disk.serve();
  }
  SECTION("while data are written") {
    host.command(0x30, 5, 2);
    host.write_sector(pattern(77));
  }
  SECTION("after an error") {
    host.command(0x20, sectors, 1);
  }
  host.device_control(0x04);
  CHECK(host.alternate_status() == busy);
  CHECK_FALSE(host.line.level);
  host.out(7, 0xec);
  CHECK(host.channel->read(0, 2) == 0xffff);
  CHECK(host.alternate_status() == busy);
  host.device_control(0x00);
  CHECK(host.alternate_status() == ready);
  CHECK_FALSE(host.line.level);
  for (const auto& [offset, value] :
       {std::pair(1u, 1u), std::pair(2u, 1u), std::pair(3u, 1u), std::pair(4u, 0u), std::pair(5u, 0u)}) {
    CHECK(host.in(offset) == value);
  }
  CHECK(host.disk.waiting.empty());
  CHECK(host.on_disk(5) == pattern(5));
  host.command(0x20, 6, 1);
  CHECK(host.read_all(1) == std::vector{pattern(6)});
}

TEST_CASE("a reset while the storage works lasts until it has done so", "[ata]") {
  Host host;
  host.command(0x20, 5, 2);
  host.device_control(0x04);
  SECTION("SRST is cleared first") {
    host.device_control(0x00);
    CHECK(host.alternate_status() == busy);
    host.disk.serve();
  }
  SECTION("the storage is done first") {
    host.disk.serve();
    CHECK(host.alternate_status() == busy);
    host.device_control(0x00);
  }
  SECTION("SRST is set again") {
    host.device_control(0x00);
    host.device_control(0x04);
    host.disk.serve();
    CHECK(host.alternate_status() == busy);
    host.device_control(0x00);
  }
  CHECK(host.alternate_status() == ready);
  CHECK(host.in(3) == 1);
  CHECK_FALSE(host.line.level);
  CHECK(host.operation("requests") == 0);
}

TEST_CASE("a software reset reverts settings, unless SET FEATURES 66h was given", "[ata]") {
  Host host;
  const bool keep = GENERATE(false, true);
  host.features(keep ? 0x66 : 0xcc);
  host.out(2, 2);
  host.out(7, 0xc6);
  host.features(0x82);
  host.disk.serve_all();
  host.device_control(0x04);
  host.device_control(0x00);
  const auto words = host.identify();
  CHECK(words[59] == (keep ? 0x102u : 0x110u));
  CHECK(((words[85] & 0x20) == 0) == keep);
}

TEST_CASE("EXECUTE DEVICE DIAGNOSTIC passes, on both devices, whichever is selected", "[ata]") {
  Host host(sectors, GENERATE(false, true));
  host.out(6, 0xb0);
  host.out(3, 99);
  host.out(7, 0x90);
  CHECK(host.line.level);
  CHECK(host.in(6) == 0);
  CHECK(host.status() == ready);
  CHECK(host.in(1) == 0x01);
  CHECK(host.in(2) == 1);
  CHECK(host.in(3) == 1);
  CHECK(host.in(4) == 0);
  CHECK(host.in(5) == 0);
}

TEST_CASE("a device that is not there has a Status of 0 and takes no command", "[ata]") {
  Host host;
  host.out(6, 0xb0);
  CHECK(host.status() == 0);
  CHECK(host.alternate_status() == 0);
  host.out(7, 0xec);
  CHECK(host.status() == 0);
  CHECK_FALSE(host.line.level);
  host.out(2, 0x55);  // Device 0 answers for it
  CHECK(host.in(2) == 0x55);
  host.out(6, 0xa0);
  CHECK(host.status() == ready);
}

TEST_CASE("two disks share the ports and have their own contents and interrupts", "[ata]") {
  Host host(sectors, true);
  Host::put(host.second, 7);
  host.second.bytes[7 * 512] = std::byte{0xee};
  host.out(6, 0xf0);
  host.out(2, 1);
  host.out(3, 7);
  host.out(4, 0);
  host.out(5, 0);
  host.out(7, 0x20);
  CHECK(host.disk.waiting.empty());
  host.second.serve();
  CHECK(host.line.level);
  host.out(6, 0xe0);  // the other device: not its interrupt
  CHECK_FALSE(host.line.level);
  CHECK(host.status() == ready);
  host.out(6, 0xf0);
  CHECK(host.line.level);
  CHECK(host.status() == data);
  Sector expected = pattern(7);
  expected[0] = 0xee;
  CHECK(host.read_sector() == expected);
  host.out(6, 0x10);
  CHECK((host.identify()[60]) == sectors / 2);
}

TEST_CASE("power modes are told by CHECK POWER MODE; asleep it takes no command until a reset", "[ata]") {
  Host host;
  const auto mode = [&host] {
    host.out(7, 0xe5);
    CHECK(host.status() == ready);
    return host.in(2);
  };
  CHECK(mode() == 0xff);
  host.out(7, GENERATE(0xe0u, 0xe2u));
  CHECK(host.line.level);
  CHECK(mode() == 0x00);
  host.out(7, GENERATE(0xe1u, 0xe3u));
  CHECK(mode() == 0x80);
  host.command(0x20, 0, 1);
  CHECK(host.read_all(1).size() == 1);
  CHECK(mode() == 0xff);
  host.out(7, 0xe6);
  CHECK(host.line.level);
  CHECK(host.status() == ready);
  host.out(7, 0xec);
  CHECK(host.alternate_status() == ready);
  CHECK_FALSE(host.line.level);
  host.device_control(0x04);
  host.device_control(0x00);
  CHECK(mode() == 0xff);
}

TEST_CASE("SEEK checks its address", "[ata]") {
  Host host;
  host.command(0x70, 10, 0);
  CHECK(host.status() == ready);
  host.command(0x70, sectors, 0);
  CHECK(host.status() == failed);
  CHECK(host.in(1) == idnf);
}

TEST_CASE("wide accesses of byte registers are their bytes, and end where the block does", "[ata]") {
  Host host;
  host.channel->write(2, 4, 0x44332211);
  CHECK(host.in(2) == 0x11);
  CHECK(host.in(3) == 0x22);
  CHECK(host.in(4) == 0x33);
  CHECK(host.in(5) == 0x44);
  CHECK(host.channel->read(2, 2) == 0x2211);
  CHECK(host.channel->read(7, 2) == (0xff00 | ready));  // Alternate Status is not the next port
  CHECK(host.channel->read(8, 2) == (0xff00 | ready));
  host.channel->write(7, 2, 0x04ec);  // so SRST is not reached
  CHECK(host.alternate_status() == data);
  CHECK(reads_ones_past(*host.channel, 9));
  write_past(*host.channel, 9, 0x04);
  CHECK(host.alternate_status() == data);
}

TEST_CASE("a byte of the data register is the low one of its word", "[ata]") {
  Host host;
  host.command(0x20, 5, 1);
  host.disk.serve();
  const Sector sector = pattern(5);
  CHECK(host.in(0) == sector[0]);
  CHECK(host.in(0) == sector[2]);
  CHECK(host.channel->read(0, 2) == (sector[4] | unsigned{sector[5]} << 8));
}

TEST_CASE("registers have the names that the standard gives them", "[ata]") {
  Host host;
  const auto name = [&host](std::uint64_t offset, Direction direction) {
    return host.channel->register_name(offset, direction);
  };
  CHECK(host.channel->name() == "ata0");
  CHECK(name(0, Direction::read) == "data");
  CHECK(name(0, Direction::write) == "data");
  CHECK(name(1, Direction::read) == "error");
  CHECK(name(1, Direction::write) == "features");
  CHECK(name(2, Direction::write) == "sector count");
  CHECK(name(3, Direction::write) == "LBA low");
  CHECK(name(4, Direction::write) == "LBA mid");
  CHECK(name(5, Direction::write) == "LBA high");
  CHECK(name(6, Direction::write) == "device");
  CHECK(name(7, Direction::read) == "status");
  CHECK(name(7, Direction::write) == "command");
  CHECK(name(8, Direction::read) == "alternate status");
  CHECK(name(8, Direction::write) == "device control");
  CHECK(name(9, Direction::read) == "+0x9");
}

TEST_CASE("completions on another thread meet accesses and resets", "[ata][thread]") {
  /// Serves on a thread of its own, as a disk image does.
  struct ThreadedStorage final : BlockStorage {
    ThreadedStorage() : worker([this] { work(); }) {}
    ~ThreadedStorage() override {
      {
        const std::lock_guard lock(mutex);
        stopping = true;
      }
      wake.notify_all();
      worker.join();
    }
    [[nodiscard]] std::uint64_t size() const noexcept override { return sectors * 512; }
    [[nodiscard]] bool read_only() const noexcept override { return false; }
    void submit(BlockRequest& request) noexcept override {
      {
        const std::lock_guard lock(mutex);
        waiting.push_back(&request);
      }
      wake.notify_all();
    }
    [[nodiscard]] bool serve_at_once(BlockRequest&) noexcept override { return false; }
    void drain() noexcept override {
      std::unique_lock lock(mutex);
      wake.wait(lock, [this] { return waiting.empty() && !serving; });
    }
    void work() {
      std::unique_lock lock(mutex);
      while (true) {
        wake.wait(lock, [this] { return stopping || !waiting.empty(); });
        if (waiting.empty()) return;
        BlockRequest& request = *waiting.front();
        waiting.pop_front();
        serving = true;
        lock.unlock();
        for (const iovec& buffer : request.buffers) {
          if (request.kind == BlockRequest::Kind::read) std::memset(buffer.iov_base, 0x5a, buffer.iov_len);
        }
        request.requester->completed(request, true);
        lock.lock();
        serving = false;
        wake.notify_all();
      }
    }
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<BlockRequest*> waiting;
    bool serving = false;
    bool stopping = false;
    std::thread worker;
  };
  ThreadedStorage storage;
  Host host;
  host.channel.emplace("ata0", host.line, ata::DriveConfig{&storage, ""}, nullptr);
  for (unsigned round = 0; round < 300; ++round) {
    host.command(round % 2 == 0 ? 0x20 : 0xe7, round % 7, 2);
    if (round % 3 == 0) {
      host.device_control(0x04);
      host.device_control(0x00);
    }
    while ((host.alternate_status() & 0x80) != 0) std::this_thread::yield();
    if ((host.status() & 0x08) != 0) {
      CHECK(host.read_sector()[100] == 0x5a);
      CHECK(host.read_sector()[511] == 0x5a);
    }
    REQUIRE(host.alternate_status() == ready);
  }
  host.command(0x20, 0, 1);
  host.channel.reset();  // with a request under way
}
