/// virtio-blk, the block device (VIRTIO 1.2, 5.2).
#pragma once

#include <linux/virtio_blk.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "devices/block_storage.hpp"
#include "devices/virtio/virtio_device.hpp"

namespace kvmbench::virtio {

/// Reads and writes go between the storage and guest memory without a copy; the storage's threads complete
/// them, in any order.
class BlockDevice final : public VirtioDevice, private BlockRequester {
 public:
  static constexpr std::uint16_t queue_size = 256;
  /// Segments of one request: what a chain without an indirect table has room for besides header and status.
  static constexpr std::uint32_t max_segments = queue_size - 2;
  /// Sectors of one discard or write-zeroes: 4 GiB.
  static constexpr std::uint32_t max_clear_sectors = 1u << 23;
  static constexpr unsigned max_queues = 16;

  /// `serial`: what GET_ID answers; 20 characters of it count. `queues`: 1 to max_queues. The storage
  /// outlives the device.
  BlockDevice(std::string name, const GuestMemory& memory, BlockStorage& storage, std::string serial,
              unsigned queues = 1);
  ~BlockDevice() override;

  [[nodiscard]] std::uint64_t features() const noexcept override;
  [[nodiscard]] std::uint32_t config_size() const noexcept override;
  void read_config(std::uint32_t offset, std::span<std::byte> to) noexcept override;
  void write_config(std::uint32_t offset, std::span<const std::byte> from) noexcept override;
  [[nodiscard]] std::string_view config_name(std::uint64_t offset) const noexcept override;
  void start(std::uint64_t features) override;
  void process(unsigned number) override;
  void reset() noexcept override;
  /// bytes (read and written, and each), flushes.
  [[nodiscard]] std::vector<Operation> operations() const override;

 private:
  /// One request under way.
  struct Request : BlockRequest {
    unsigned queue = 0;
    Chain chain;
    std::vector<iovec> pieces;
    bool in_burst = false;       ///< on the device's thread, which signals once for all
    bool reads = false;          ///< and fills all of the chain's writable part but the status
    bool to_be_flushed = false;  ///< a write, which ends with a flush
    std::uint64_t moved = 0;     ///< bytes, which count once it has succeeded
  };
  /// The requests of a queue that are not under way.
  struct Spares {
    std::mutex
        mutex;  // held while one is given back with its chain, so that there are never fewer than chains
    std::vector<Request*> list;
  };

  void completed(BlockRequest& request, bool succeeded) noexcept override;

  [[nodiscard]] Request* take_spare(unsigned number);
  void serve(Request& request);
  void transfer(Request& request, bool write, std::uint64_t sector);
  void clear(Request& request, bool zeroes);
  void identify(Request& request) noexcept;
  void submit(Request& request) noexcept;
  void flush(Request& request) noexcept;
  void finish(Request& request, std::uint8_t status) noexcept;
  [[nodiscard]] bool within(std::uint64_t sector, std::uint64_t bytes) const noexcept;

  BlockStorage& storage_;
  std::array<char, VIRTIO_BLK_ID_BYTES> id_{};
  std::deque<Request> requests_;
  std::deque<Spares> spares_;  // by queue

  std::atomic<std::uint64_t> accepted_{0};  ///< features
  std::atomic<bool> write_back_{true};      ///< what is written may wait for a flush (5.2.5.2)
  std::atomic<std::uint64_t> bytes_read_{0};
  std::atomic<std::uint64_t> bytes_written_{0};
  std::atomic<std::uint64_t> flushes_{0};
};

}  // namespace kvmbench::virtio
