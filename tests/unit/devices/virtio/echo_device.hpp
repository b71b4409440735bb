/// A device for tests of queues and transport: it copies the readable part of each request into the writable
/// one.
#pragma once

#include <array>
#include <vector>

#include "devices/virtio/virtio_device.hpp"

namespace kvmbench::test {

class EchoDevice final : public virtio::VirtioDevice {
 public:
  static constexpr std::uint16_t queue_size = 256;
  static constexpr std::uint64_t feature = 1 << 5;

  explicit EchoDevice(const GuestMemory& memory)
      : VirtioDevice("virtio-echo0", 42, memory, {queue_size, queue_size}) {}

  [[nodiscard]] std::uint64_t features() const noexcept override { return feature; }
  [[nodiscard]] std::uint32_t config_size() const noexcept override {
    return static_cast<std::uint32_t>(config.size());
  }
  void read_config(std::uint32_t offset, std::span<std::byte> to) noexcept override {
    std::copy_n(config.begin() + offset, to.size(), to.begin());
  }
  void write_config(std::uint32_t offset, std::span<const std::byte> from) noexcept override {
    std::copy(from.begin(), from.end(), config.begin() + offset);
  }
  [[nodiscard]] std::string_view config_name(std::uint64_t offset) const noexcept override {
    return offset == 0 ? "word" : "";
  }
  void start(std::uint64_t features) override { started.push_back(features); }
  void process(unsigned number) override {
    ++processed;
    if (hold) {
      virtio::Chain chain;
      while (queue(number).pop(chain)) held.push_back(std::move(chain));
      static_cast<void>(queue(number).listen());
      return;
    }
    queue(number).drain(chain_, [&](virtio::Chain& chain) { answer(number, chain); });
  }
  void cancel() noexcept override {
    for (virtio::Chain& chain : held) answer(0, chain);
    held.clear();
  }
  void reset() noexcept override { ++resets; }

  void answer(unsigned number, virtio::Chain& chain) {
    std::vector<std::byte> bytes(chain.readable.size());
    chain.readable.read(0, bytes);
    queue(number).complete(chain, static_cast<std::uint32_t>(chain.writable.write(0, bytes)));
  }
  using VirtioDevice::config_changed;

  std::array<std::byte, 6> config{};
  std::vector<std::uint64_t> started;
  unsigned processed = 0;
  unsigned resets = 0;
  bool hold = false;  ///< keep requests of queue 0 until cancel()
  std::vector<virtio::Chain> held;

 private:
  virtio::Chain chain_;
};

}  // namespace kvmbench::test
