/// virtio-rng, the entropy device (VIRTIO 1.2, 5.4): fills what the driver offers with random bytes.
#pragma once

#include <atomic>
#include <cstddef>
#include <span>

#include "devices/virtio/virtio_device.hpp"

namespace kvmbench::virtio {

/// Where random bytes come from.
class EntropySource {
 public:
  virtual ~EntropySource() = default;
  /// Fills `to`, as far as it can now; returns how many bytes, from the first on. It may wait.
  virtual std::size_t fill(std::span<std::byte> to) noexcept = 0;
};

class EntropyDevice final : public VirtioDevice {
 public:
  /// The most that one request is given; it may get less than it has room for (5.4.6.2).
  static constexpr std::uint32_t most_at_once = 64 * 1024;
  static constexpr std::uint16_t queue_size = 64;

  EntropyDevice(std::string name, const GuestMemory& memory, EntropySource& source);

  void start(std::uint64_t) override {}
  void process(unsigned number) override;
  void reset() noexcept override {}
  [[nodiscard]] std::vector<Operation> operations() const override;

 private:
  void serve(Chain& chain) noexcept;

  EntropySource& source_;
  Chain chain_;
  std::atomic<std::uint64_t> bytes_{0};
};

}  // namespace kvmbench::virtio
