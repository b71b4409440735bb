/// An ATA channel: the ports, the interrupt line and the cable that two disks share.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "devices/ata/drive.hpp"
#include "devices/device.hpp"
#include "devices/interrupt_line.hpp"

namespace kvmbench::ata {

/// A disk to be put on a channel.
struct DriveConfig {
  BlockStorage* storage;
  std::string serial;
};

/// Attach it at 0x1f0 (or 0x170) for 8 ports and at 0x3f6 (or 0x376) for 1 port with offset 8.
class Channel final : public Device, private BlockRequester {
 public:
  static constexpr std::uint64_t command_block_size = 8;
  static constexpr std::uint64_t control_block = 8;
  static constexpr std::uint64_t size = 9;

  /// `name`: "ata0". Device 0 is there, Device 1 where `second` is given. The storages outlive the channel.
  Channel(std::string name, InterruptLine& line, const DriveConfig& first, const DriveConfig* second);
  /// Waits for what the storages still have under way; no vCPU runs any more.
  ~Channel() override;

  std::uint64_t read(std::uint64_t offset, unsigned width) noexcept override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept override;
  void read_string(std::uint64_t offset, unsigned width, std::span<std::byte> to) noexcept override;
  void write_string(std::uint64_t offset, unsigned width, std::span<const std::byte> from) noexcept override;
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::string register_name(std::uint64_t offset, Direction direction) const override;
  /// requests, bytes (read and written, and each), flushes.
  [[nodiscard]] std::vector<Operation> operations() const override;

 private:
  void completed(BlockRequest& request, bool succeeded) noexcept override;

  // With the lock held:
  [[nodiscard]] Drive* selected() noexcept { return drives_[dev_].get(); }
  [[nodiscard]] std::uint8_t read_register(std::uint64_t offset) noexcept;
  void write_register(std::uint64_t offset, std::uint8_t value) noexcept;
  void read_data(std::span<std::byte> to) noexcept;
  void write_data(std::span<const std::byte> from) noexcept;
  void execute(std::uint8_t command) noexcept;
  void write_device_control(std::uint8_t value) noexcept;
  void drive_line() noexcept;

  const std::string name_;
  InterruptLine& line_;

  mutable std::mutex mutex_;
  std::array<std::unique_ptr<Drive>, 2> drives_;
  unsigned dev_ = 0;  ///< the selected drive, which need not be there
  std::uint8_t device_control_ = 0;
  bool asserted_ = false;
};

}  // namespace kvmbench::ata
