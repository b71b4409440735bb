/// virtio-console (VIRTIO 1.2, 5.3) with one port: hvc0 of a Linux guest.
///
/// Output goes to the sink on the device's thread, which waits where the host is slower than the guest; the
/// guest gets its buffers back when the sink has them. Input fills the guest's buffers as it comes.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>

#include "devices/character_port.hpp"
#include "devices/character_sink.hpp"
#include "devices/virtio/virtio_device.hpp"

namespace kvmbench::virtio {

class ConsoleDevice final : public VirtioDevice {
 public:
  static constexpr std::uint16_t queue_size = 256;
  enum : unsigned { receiveq = 0, transmitq = 1 };  // 5.3.2

  /// Characters that the screen has.
  struct Size {
    std::uint16_t columns = 0;
    std::uint16_t rows = 0;
  };

  /// Without a size, VIRTIO_CONSOLE_F_SIZE is not offered.
  ConsoleDevice(std::string name, const GuestMemory& memory, CharacterSink& sink,
                std::optional<Size> size = {});

  /// Once each, before the machine runs.
  void set_receive_ready(ReceiveReady& listener) noexcept { receive_ready_ = &listener; }
  void set_transmit_observer(TransmitObserver& observer) noexcept { transmit_observer_ = &observer; }

  [[nodiscard]] bool has_size() const noexcept { return has_size_; }
  /// A driver runs the device.
  [[nodiscard]] bool ready() noexcept { return queue(receiveq).running(); }
  /// Offers characters from outside; returns how many of them, from the first, were taken: as many as the
  /// driver's buffers have room for. Where that is fewer than offered, receive_ready() follows. Any thread.
  [[nodiscard]] std::size_t receive(std::span<const std::uint8_t> characters) noexcept;
  /// Tells the driver of another size, where one was given at first. Any thread.
  void resize(Size size) noexcept;

  [[nodiscard]] std::uint64_t features() const noexcept override;
  [[nodiscard]] std::uint32_t config_size() const noexcept override;
  void read_config(std::uint32_t offset, std::span<std::byte> to) noexcept override;
  /// emerg_wr (5.3.4): a character without a queue, at any time.
  void write_config(std::uint32_t offset, std::span<const std::byte> from) noexcept override;
  [[nodiscard]] std::string_view config_name(std::uint64_t offset) const noexcept override;
  void start(std::uint64_t features) override;
  void process(unsigned number) override;
  void reset() noexcept override;
  /// bytes, and of these sent and received.
  [[nodiscard]] std::vector<Operation> operations() const override;

 private:
  void transmit(Chain& chain) noexcept;
  void put(std::uint8_t byte) noexcept;
  void more_room() noexcept;

  CharacterSink& sink_;
  const bool has_size_;
  ReceiveReady* receive_ready_ = nullptr;
  TransmitObserver* transmit_observer_ = nullptr;

  std::atomic<std::uint32_t> size_;  ///< columns, and rows from bit 16 on
  Chain transmitting_;

  std::mutex receive_mutex_;
  Chain receiving_;
  bool refused_ = false;  ///< receive() took less than it was offered

  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> received_{0};
};

}  // namespace kvmbench::virtio
