/// Any sequence of accesses to an ATA channel, with its disks' requests served, failed or left waiting in
/// between, does no harm: nothing is touched outside of its buffers, a read gives no more than its width, and
/// a reset always leads back to a disk that is ready.
///
/// The input is a sequence of steps: one byte that says what, then its operands, little-endian.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <vector>

#include "devices/ata/channel.hpp"
#include "input.hpp"

namespace {

using namespace kvmbench;
using namespace kvmbench::fuzz;

/// A disk whose sectors hold nothing; its requests end when the input says so.
struct Storage final : BlockStorage {
  Storage(std::uint64_t sectors, bool locked) : bytes(sectors * sector_size), protected_(locked) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return bytes; }
  [[nodiscard]] bool read_only() const noexcept override { return protected_; }
  void submit(BlockRequest& request) noexcept override {
    require(request.offset % sector_size == 0 && request.length % sector_size == 0);
    require(request.offset <= bytes && request.length <= bytes - request.offset);
    require(!protected_ || request.kind == BlockRequest::Kind::read ||
            request.kind == BlockRequest::Kind::flush);
    waiting.push_back(&request);
  }
  [[nodiscard]] bool serve_at_once(BlockRequest&) noexcept override { std::abort(); }  // vCPUs only
  void drain() noexcept override {
    while (!waiting.empty()) serve(true);
  }
  void serve(bool succeeds) noexcept {
    if (waiting.empty()) return;
    BlockRequest& request = *waiting.front();
    waiting.pop_front();
    std::uint64_t moved = 0;
    for (const iovec& buffer : request.buffers) {
      moved += buffer.iov_len;
      if (request.kind == BlockRequest::Kind::read) {
        std::memset(buffer.iov_base, 0xa5, buffer.iov_len);
      } else {
        const auto* data = static_cast<const std::uint8_t*>(buffer.iov_base);
        for (std::size_t i = 0; i < buffer.iov_len; i += sector_size) sum += data[i];
      }
    }
    require(moved == request.length);
    request.requester->completed(request, succeeds);
  }

  std::uint64_t bytes;
  bool protected_;
  std::deque<BlockRequest*> waiting;
  unsigned sum = 0;
};

struct Host {
  explicit Host(std::uint8_t kind)
      : disks{Storage(kind % 2 == 0 ? 5000 : 0x1'0000'1000, (kind & 4) != 0), Storage(300, false)} {
    const ata::DriveConfig first{&disks[0], "first"}, second{&disks[1], "a serial number of more than 20"};
    channel.emplace("ata0", line, first, (kind & 2) != 0 ? &second : nullptr);
  }
  UnconnectedLine line;
  std::array<Storage, 2> disks;
  std::optional<ata::Channel> channel;
};

/// One of the registers, most of the time.
std::uint64_t take_offset(Input& input) {
  const auto choice = input.take<std::uint8_t>();
  return choice < 0xf0 ? choice % ata::Channel::size : input.take<std::uint64_t>();
}

void step(Host& host, Input& input) {
  enum : std::uint8_t { read, write, command, read_string, write_string, serve, fail, steps };
  const auto choice = input.take<std::uint8_t>();
  const unsigned width = 1u << (choice / steps % 3);
  ata::Channel& channel = *host.channel;
  switch (choice % steps) {
    case read: {
      const std::uint64_t offset = take_offset(input);
      require((channel.read(offset, width) & ~all_ones(width)) == 0);
      require(!channel.register_name(offset, Direction::read).empty());
      break;
    }
    case write: {
      const std::uint64_t offset = take_offset(input);
      channel.write(offset, width, input.take<std::uint32_t>());
      break;
    }
    case command:  // the registers of a command at once
      for (const std::uint64_t offset : {6u, 2u, 2u, 3u, 4u, 5u, 7u})
        channel.write(offset, 1, input.take<std::uint8_t>());
      break;
    case read_string:
    case write_string: {
      const bool any_register = choice >= 0xf0;
      std::vector<std::byte> bytes(input.take<std::uint16_t>() % (any_register ? 64 : 8192) * width);
      const std::uint64_t offset = any_register ? take_offset(input) : 0;
      if (choice % steps == read_string) {
        channel.read_string(offset, width, bytes);
      } else {
        channel.write_string(offset, width, bytes);
      }
      break;
    }
    default:
      host.disks[choice / steps % 2].serve(choice % steps == serve);
      break;
  }
}

void reset(Host& host) {
  ata::Channel& channel = *host.channel;
  channel.write(8, 1, 0x04);
  channel.write(8, 1, 0x00);
  for (Storage& disk : host.disks) disk.drain();
  require(channel.read(8, 1) == 0x50);
  require(channel.read(2, 1) == 1 && channel.read(3, 1) == 1 && channel.read(4, 1) == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input({data, size});
  Host host(input.take<std::uint8_t>());
  while (!input.empty()) step(host, input);
  reset(host);
  return 0;
}
