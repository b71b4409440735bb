#include "devices/virtio/block_device.hpp"

#include <linux/virtio_ids.h>
#include <linux/virtio_mmio.h>

#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <vector>

#include "../fakes.hpp"
#include "../memory_storage.hpp"
#include "driver.hpp"

using namespace kvmbench;
using namespace kvmbench::test;
using virtio::BlockDevice;

namespace {

// VIRTIO 1.2, 5.2.3, 5.2.6 and 5.2.6.2.
constexpr std::uint64_t f_ro = 1 << 5, f_flush = 1 << 9, f_config_wce = 1 << 11, f_mq = 1 << 12,
                        f_discard = 1 << 13, f_write_zeroes = 1 << 14;
constexpr std::uint32_t t_in = 0, t_out = 1, t_flush = 4, t_get_id = 8, t_discard = 11, t_write_zeroes = 13;
constexpr unsigned ok = 0, ioerr = 1, unsupp = 2, untouched = 0xee;
constexpr std::uint64_t sectors = 64;
constexpr std::uint64_t usual = f_flush | f_discard | f_write_zeroes;

constexpr Gpa header_at{0x50'0000}, data_at{0x40'0000}, status_at{0x60'0000};

struct Machine {
  explicit Machine(std::uint64_t features = usual, bool read_only = false, unsigned queues = 1,
                   RingLayout layout = RingLayout::split)
      : storage(sectors, read_only),
        device("virtio-blk0", memory, storage, "a serial number longer than it may be", queues),
        driver(transport, memory, layout) {
    for (std::size_t i = 0; i < storage.bytes.size(); ++i) storage.bytes[i] = pattern(i);
    doorbell.connect(transport);
    negotiated = driver.negotiate(features);
    queue = &driver.set_up_queue(0, 16);
    driver.driver_ok();
  }
  static std::byte pattern(std::size_t at) { return std::byte(at / 512 * 5 + at % 509); }

  /// Puts the request into the queue and rings.
  void start(std::uint32_t type, std::uint64_t sector, std::vector<GuestBuffer> data = {}) {
    const virtio_blk_outhdr header{.type = type, .ioprio = 0, .sector = sector};
    REQUIRE(memory.store(header_at, header));
    REQUIRE(memory.store(status_at, std::uint8_t{untouched}));
    data.insert(data.begin(), {header_at, sizeof header, false});
    data.push_back({status_at, 1, true});
    queue->add(data);
    driver.notify(0);
  }
  unsigned status() { return memory.load<std::uint8_t>(status_at).value(); }
  /// All of it; the status.
  unsigned run(std::uint32_t type, std::uint64_t sector, std::vector<GuestBuffer> data = {}) {
    start(type, sector, std::move(data));
    storage.serve_all();
    used = queue->take_used();
    REQUIRE(used);
    return status();
  }
  unsigned clear(std::uint32_t type, std::uint64_t sector, std::uint32_t count, std::uint32_t flags = 0) {
    REQUIRE(memory.store(
        data_at, virtio_blk_discard_write_zeroes{.sector = sector, .num_sectors = count, .flags = flags}));
    return run(type, 0, {{data_at, 16, false}});
  }
  bool memory_equals(Gpa at, std::size_t offset, std::size_t length) {
    const auto bytes = memory.range(at, length);
    return std::equal(bytes.begin(), bytes.end(),
                      storage.bytes.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  bool unchanged() {
    for (std::size_t i = 0; i < storage.bytes.size(); ++i) {
      if (storage.bytes[i] != pattern(i)) return false;
    }
    return true;
  }
  std::uint64_t operation(std::string_view name) {
    for (const Operation& one : transport.operations()) {
      if (one.name == name) return one.count;
    }
    FAIL("no operation " << name);
    return 0;
  }
  template <class T>
  T config(std::uint64_t offset) {
    return static_cast<T>(transport.read(0x100 + offset, sizeof(T)));
  }

  GuestMemory memory{8 << 20};
  MemoryStorage storage;
  RecordingLine line;
  InlineDoorbell doorbell;
  BlockDevice device;
  virtio::MmioTransport transport{device, line, doorbell, {.packed = true}};
  TestDriver driver;
  bool negotiated = false;
  DriverQueue* queue = nullptr;
  std::optional<UsedBuffer> used;
};

}  // namespace

TEST_CASE("it is a block device with a capacity in sectors and the limits that it keeps", "[virtio-blk]") {
  Machine machine;
  CHECK(machine.driver.read(VIRTIO_MMIO_DEVICE_ID) == VIRTIO_ID_BLOCK);
  CHECK(machine.negotiated);
  CHECK(machine.config<std::uint64_t>(0) == sectors);
  CHECK(machine.config<std::uint32_t>(12) == BlockDevice::max_segments);
  CHECK(machine.config<std::uint32_t>(20) == 512);       // blk_size
  CHECK(machine.config<std::uint8_t>(24) == 3);          // 2^3 of them a physical block
  CHECK(machine.config<std::uint8_t>(32) == 1);          // writeback
  CHECK(machine.config<std::uint16_t>(34) == 1);         // num_queues
  CHECK(machine.config<std::uint32_t>(36) == 1u << 23);  // max_discard_sectors
  CHECK(machine.config<std::uint32_t>(40) == 1);
  CHECK(machine.config<std::uint32_t>(48) == 1u << 23);  // max_write_zeroes_sectors
  CHECK(machine.config<std::uint32_t>(52) == 1);
  CHECK(machine.config<std::uint8_t>(56) == 1);  // write_zeroes_may_unmap
  CHECK((machine.driver.device_features() & f_ro) == 0);
  CHECK(machine.transport.register_name(0x100, Direction::read) == "capacity");
  CHECK(machine.transport.register_name(0x107, Direction::read) == "capacity");
  CHECK(machine.transport.register_name(0x120, Direction::write) == "writeback");
}

TEST_CASE("a read fills guest memory, in pieces of any length, and then the status", "[virtio-blk]") {
  Machine machine(usual, false, 1, GENERATE(RingLayout::split, RingLayout::packed));
  machine.start(t_in, 3, {{data_at, 1000, true}, {data_at + 5000, 24, true}, {data_at + 9000, 1024, true}});
  CHECK(machine.status() == untouched);  // it is the storage's
  CHECK_FALSE(machine.queue->take_used());
  machine.storage.serve();
  CHECK(machine.status() == ok);
  CHECK(machine.memory_equals(data_at, 3 * 512, 1000));
  CHECK(machine.memory_equals(data_at + 5000, 3 * 512 + 1000, 24));
  CHECK(machine.memory_equals(data_at + 9000, 3 * 512 + 1024, 1024));
  CHECK(machine.queue->take_used()->written == 2048 + 1);
  CHECK(machine.line.level);
  CHECK(machine.operation("bytes read") == 2048);
  CHECK(machine.operation("requests") == 1);
}

TEST_CASE("header, data and status may share buffers or be cut anywhere", "[virtio-blk]") {
  Machine machine;
  REQUIRE(machine.memory.store(header_at, virtio_blk_outhdr{.type = t_in, .ioprio = 0, .sector = 1}));
  machine.queue->add({{header_at, 3, false}, {header_at + 3, 13, false}, {data_at, 513, true}});
  machine.driver.notify(0);
  machine.storage.serve();
  CHECK(machine.memory_equals(data_at, 512, 512));
  CHECK(machine.memory.load<std::uint8_t>(data_at + 512) == ok);
  CHECK(machine.queue->take_used()->written == 513);
}

TEST_CASE("a write takes the data from guest memory", "[virtio-blk]") {
  Machine machine;
  std::string text(1024, 'w');
  CHECK(machine.run(t_out, 5, {readable_text(machine.memory, data_at, text)}) == ok);
  CHECK(machine.used->written == 1);
  CHECK(machine.storage.bytes[5 * 512] == std::byte{'w'});
  CHECK(machine.storage.bytes[7 * 512 - 1] == std::byte{'w'});
  CHECK(machine.storage.bytes[7 * 512] == Machine::pattern(7 * 512));
  CHECK(machine.operation("bytes written") == 1024);
  CHECK(machine.storage.kinds == std::vector{BlockRequest::Kind::write});
}

TEST_CASE("a flush is the storage's flush", "[virtio-blk]") {
  Machine machine;
  CHECK(machine.run(t_flush, 0) == ok);
  CHECK(machine.storage.kinds == std::vector{BlockRequest::Kind::flush});
  CHECK(machine.operation("flushes") == 1);
}

TEST_CASE("what the storage cannot do is an I/O error, and counts for nothing", "[virtio-blk]") {
  Machine machine;
  machine.storage.all_fail = true;
  CHECK(machine.run(t_in, 0, {{data_at, 512, true}}) == ioerr);
  CHECK(machine.used->written == 0);
  CHECK(machine.run(t_out, 0, {{data_at, 512, false}}) == ioerr);
  CHECK(machine.run(t_flush, 0) == ioerr);
  CHECK(machine.clear(t_discard, 0, 1) == ioerr);
  CHECK(machine.operation("bytes") == 0);
  CHECK(machine.operation("flushes") == 0);
  machine.storage.all_fail = false;
  CHECK(machine.run(t_in, 0, {{data_at, 512, true}}) == ok);
}

TEST_CASE("transfers past the end or of broken sectors fail before the storage sees them", "[virtio-blk]") {
  Machine machine;
  for (const std::uint64_t sector :
       {sectors, sectors - 1, std::uint64_t{1} << 32, ~std::uint64_t{0}, ~std::uint64_t{0} / 512}) {
    CHECK(machine.run(t_in, sector, {{data_at, 1024, true}}) == ioerr);
    CHECK(machine.run(t_out, sector, {{data_at, 1024, false}}) == ioerr);
  }
  for (const std::uint32_t length : {1u, 511u, 513u, 1000u}) {
    CHECK(machine.run(t_in, 0, {{data_at, length, true}}) == ioerr);
    CHECK(machine.run(t_out, 0, {{data_at, length, false}}) == ioerr);
  }
  CHECK(machine.run(t_in, 0) == ok);  // nothing is wanted
  CHECK(machine.run(t_out, sectors) == ok);
  CHECK(machine.storage.kinds.empty());
  CHECK(machine.unchanged());
}

TEST_CASE("GET_ID gives the serial number, at most 20 bytes of it", "[virtio-blk]") {
  Machine machine;
  CHECK(machine.run(t_get_id, 0, {{data_at, 20, true}}) == ok);
  CHECK(text_at(machine.memory, data_at, 20) == "a serial number long");
  CHECK(machine.used->written == 21);
  CHECK(machine.run(t_get_id, 0, {{data_at, 4, true}}) == ok);
  CHECK(machine.run(t_get_id, 0) == ok);
}

TEST_CASE("discard and write zeroes take one segment within the disk", "[virtio-blk]") {
  Machine machine;
  CHECK(machine.clear(t_discard, 2, 3) == ok);
  CHECK(machine.clear(t_write_zeroes, 8, 2, 1) == ok);
  CHECK(machine.clear(t_write_zeroes, 10, 1, 0) == ok);
  using Kind = BlockRequest::Kind;
  CHECK(machine.storage.kinds == std::vector{Kind::discard, Kind::write_zeroes, Kind::write_zeroes});
  CHECK(machine.storage.bytes[8 * 512] == std::byte{0});
  CHECK(machine.storage.bytes[11 * 512] == Machine::pattern(11 * 512));
  for (const std::uint32_t type : {t_discard, t_write_zeroes}) {
    CHECK(machine.clear(type, sectors, 1) == ioerr);
    CHECK(machine.clear(type, 0, sectors + 1) == ioerr);
    CHECK(machine.clear(type, ~std::uint64_t{0}, 1) == ioerr);
    CHECK(machine.clear(type, 0, ~std::uint32_t{0}) == ioerr);
    CHECK(machine.clear(type, 0, 1, 2) == unsupp);                 // a reserved flag
    CHECK(machine.run(type, 0) == ioerr);                          // no segment
    CHECK(machine.run(type, 0, {{data_at, 15, false}}) == ioerr);  // a part of one
    CHECK(machine.run(type, 0, {{data_at, 32, false}}) == ioerr);  // more than max_discard_seg
  }
  CHECK(machine.clear(t_discard, 0, 1, 1) == unsupp);  // unmap is no flag of discard
  CHECK(machine.storage.kinds.size() == 3);
}

TEST_CASE("what was not negotiated or is not known is unsupported", "[virtio-blk]") {
  Machine machine(f_flush);
  CHECK(machine.clear(t_discard, 0, 1) == unsupp);
  CHECK(machine.clear(t_write_zeroes, 0, 1) == unsupp);
  for (const std::uint32_t type : {2u, 3u, 5u, 10u, 14u, 16u, 0x8000'0000u, ~0u})
    CHECK(machine.run(type, 0) == unsupp);
  CHECK(machine.storage.kinds.empty());
}

TEST_CASE("a read-only disk says so, and refuses writes, discards and zeroes", "[virtio-blk]") {
  Machine machine(f_ro | f_flush, true);
  CHECK(machine.negotiated);
  CHECK((machine.driver.device_features() & (f_ro | f_discard | f_write_zeroes)) == f_ro);
  CHECK(machine.run(t_out, 0, {{data_at, 512, false}}) == ioerr);
  CHECK(machine.clear(t_discard, 0, 1) == unsupp);
  CHECK(machine.run(t_in, 0, {{data_at, 512, true}}) == ok);
  CHECK(machine.unchanged());
}

TEST_CASE("without VIRTIO_BLK_F_FLUSH a write ends when it has been flushed", "[virtio-blk]") {
  Machine machine(f_discard);
  machine.start(t_out, 0, {{data_at, 512, false}});
  machine.storage.serve();
  CHECK(machine.status() == untouched);
  machine.storage.serve();
  CHECK(machine.status() == ok);
  CHECK(machine.storage.kinds == std::vector{BlockRequest::Kind::write, BlockRequest::Kind::flush});
  CHECK(machine.config<std::uint8_t>(32) == 0);
}

TEST_CASE("the driver turns the write-back cache off and on", "[virtio-blk]") {
  Machine machine(usual | f_config_wce);
  machine.transport.write(0x120, 1, 0);
  CHECK(machine.config<std::uint8_t>(32) == 0);
  CHECK(machine.run(t_out, 0, {{data_at, 512, false}}) == ok);
  CHECK(machine.storage.kinds.size() == 2);
  machine.transport.write(0x120, 1, 1);
  CHECK(machine.run(t_out, 0, {{data_at, 512, false}}) == ok);
  CHECK(machine.storage.kinds.size() == 3);
  Machine without(usual);
  without.transport.write(0x120, 1, 0);
  CHECK(without.config<std::uint8_t>(32) == 1);
  without.transport.write(0x100, 8, 0);
  CHECK(without.config<std::uint64_t>(0) == sectors);
}

TEST_CASE("a request without a whole header fails; one without room for a status breaks the device",
          "[virtio-blk]") {
  Machine machine;
  REQUIRE(machine.memory.store(status_at, std::uint8_t{untouched}));
  machine.queue->add({{header_at, 15, false}, {status_at, 1, true}});
  machine.driver.notify(0);
  CHECK(machine.queue->take_used());
  CHECK(machine.status() == ioerr);
  constexpr std::uint32_t needs_reset = 64;
  CHECK((machine.driver.status() & needs_reset) == 0);
  machine.queue->add({{header_at, 16, false}});
  machine.driver.notify(0);
  CHECK((machine.driver.status() & needs_reset) != 0);
  REQUIRE(machine.driver.negotiate(usual));
  machine.queue = &machine.driver.set_up_queue(0, 16);
  machine.driver.driver_ok();
  CHECK(machine.run(t_in, 0, {{data_at, 512, true}}) == ok);
}

TEST_CASE("several requests end in the order in which the storage ends them", "[virtio-blk]") {
  Machine machine;
  for (std::uint64_t i = 0; i < 5; ++i) {
    const Gpa header = header_at + i * 64, status = status_at + i;
    REQUIRE(machine.memory.store(header, virtio_blk_outhdr{.type = t_in, .ioprio = 0, .sector = i}));
    machine.queue->add({{header, 16, false}, {data_at + i * 512, 512, true}, {status, 1, true}});
  }
  machine.driver.notify(0);
  REQUIRE(machine.storage.waiting.size() == 5);
  std::swap(machine.storage.waiting[0], machine.storage.waiting[4]);
  machine.storage.serve();
  CHECK(machine.memory.load<std::uint8_t>(status_at + 4) == ok);
  CHECK(machine.memory_equals(data_at + 4 * 512, 4 * 512, 512));
  CHECK(machine.queue->take_used());
  CHECK_FALSE(machine.queue->take_used());
  machine.storage.serve_all();
  CHECK(machine.memory_equals(data_at, 0, 5 * 512));
}

TEST_CASE("what the storage has in memory is done before the doorbell returns", "[virtio-blk]") {
  Machine machine;
  machine.storage.at_once = true;
  machine.start(t_in, 3, {{data_at, 1024, true}});
  CHECK(machine.status() == ok);
  CHECK(machine.queue->take_used()->written == 1025);
  CHECK(machine.memory_equals(data_at, 3 * 512, 1024));
  CHECK(machine.storage.kinds.empty());
  CHECK(machine.operation("bytes read") == 1024);
  Machine through(f_discard);
  through.storage.at_once = true;
  through.start(t_out, 3, {{data_at, 512, false}});
  CHECK(through.status() == untouched);  // until it has been flushed
  through.storage.serve();
  CHECK(through.status() == ok);
}

TEST_CASE("each of several queues is served", "[virtio-blk]") {
  Machine machine(usual | f_mq, false, 3);
  CHECK(machine.config<std::uint16_t>(34) == 3);
  REQUIRE(machine.driver.negotiate(usual | f_mq));
  for (unsigned number = 0; number < 3; ++number) {
    DriverQueue& queue = machine.driver.set_up_queue(number, 16);
    if (number == 0) machine.queue = &queue;
  }
  machine.driver.driver_ok();
  CHECK(machine.run(t_in, 0, {{data_at, 512, true}}) == ok);
}

TEST_CASE("a reset waits for what the storage has under way", "[virtio-blk]") {
  Machine machine;
  machine.start(t_in, 0, {{data_at, 512, true}});
  std::thread disk([&machine] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    machine.storage.serve();
  });
  machine.driver.write(VIRTIO_MMIO_STATUS, 0);
  CHECK(machine.storage.waiting.empty());
  CHECK(machine.driver.status() == 0);
  disk.join();
}
