/// One disk on an ATA channel: its registers, its commands and the PIO data transfer protocols. Data move by
/// the data register alone; the DMA commands are refused.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "devices/ata/geometry.hpp"
#include "devices/ata/identify.hpp"
#include "devices/ata/registers.hpp"
#include "devices/block_storage.hpp"

namespace kvmbench::ata {

/// What a drive has done.
struct DriveCounts {
  std::uint64_t requests = 0;  ///< commands that read, wrote or flushed, and succeeded
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t flushes = 0;
};

/// Not thread-safe: its channel calls it, and completed(), with the channel's lock held. It never waits for
/// its storage; while a request is there, it is busy.
class Drive final {
 public:
  /// `requester` gets the end of this drive's requests, and passes it on to completed(). `serial`: at most 20
  /// characters count.
  Drive(BlockStorage& storage, std::string serial, BlockRequester& requester);

  /// A command block register but data and command. A write is latched unless a command is under way;
  /// whichever device is selected, both get it.
  [[nodiscard]] std::uint8_t read_register(unsigned reg, bool high_order) const noexcept;
  void write_register(unsigned reg, std::uint8_t value) noexcept;
  [[nodiscard]] std::uint8_t status() const noexcept;
  /// Whether INTRQ is asserted while this drive is selected; until Status is read, a command begins, or a
  /// reset.
  [[nodiscard]] bool interrupt() const noexcept { return interrupt_; }
  void acknowledge() noexcept { interrupt_ = false; }

  /// The Command register is written. Dropped while a command is under way, and asleep.
  void execute(std::uint8_t command) noexcept;
  /// EXECUTE DEVICE DIAGNOSTIC, which both drives obey: false while a command is under way.
  [[nodiscard]] bool diagnose() noexcept;
  void interrupt_host() noexcept { interrupt_ = true; }

  /// The data register; returns how many bytes were moved before the drive had none to give or to take.
  std::size_t read_data(std::span<std::byte> to) noexcept;
  std::size_t write_data(std::span<const std::byte> from) noexcept;

  /// SRST becomes 1, and 0. What is under way ends without a trace, though the storage may still do it.
  void begin_reset() noexcept;
  void end_reset() noexcept;

  [[nodiscard]] const BlockRequest& request() const noexcept { return request_; }
  void completed(bool succeeded) noexcept;

  /// Waits until the storage has nothing of it under way; without the channel's lock.
  void drain() noexcept { storage_.drain(); }

  [[nodiscard]] const DriveCounts& counts() const noexcept { return counts_; }

 private:
  enum class State : std::uint8_t { ready, busy, data_in, data_out };
  enum class Purpose : std::uint8_t { read, write, verify, flush, identify };
  /// What is still to be moved for the command under way. The buffer takes a part of it at a time.
  struct Transfer {
    Purpose purpose = Purpose::read;
    std::uint64_t lba = 0;    ///< of the buffer's first sector
    std::uint32_t left = 0;   ///< sectors, the buffer's among them
    std::uint32_t block = 1;  ///< sectors that one interrupt moves
    std::uint32_t good = 0;   ///< sectors of the buffer that were read, where they are read one by one
    bool one_by_one = false;  ///< since the whole could not be read: to find the sector that cannot
    std::optional<std::uint64_t> bad;  ///< that sector
  };
  struct Registers {
    std::array<std::uint8_t, 6> now{};     ///< by Register; features, sector count, LBA low, mid, high
    std::array<std::uint8_t, 6> before{};  ///< what each held before, for the 48-bit commands
    std::uint8_t device = 0;
  };

  // commands.cpp
  void execute_other(std::uint8_t command) noexcept;
  void start_transfer(Purpose purpose, bool extended, std::uint32_t block) noexcept;
  void start_multiple(Purpose purpose, bool extended) noexcept;
  void set_features() noexcept;
  void set_multiple_mode() noexcept;
  void initialize_device_parameters() noexcept;
  void identify_device() noexcept;
  void seek() noexcept;
  void enter(PowerMode mode) noexcept;
  [[nodiscard]] std::uint32_t sector_count(bool extended) const noexcept;
  [[nodiscard]] std::optional<std::uint64_t> address(bool extended) const noexcept;
  void show_address(std::uint64_t lba) noexcept;
  void restore_settings() noexcept;

  // drive.cpp
  [[nodiscard]] bool accepts() const noexcept { return state_ == State::ready && !resetting_; }
  [[nodiscard]] std::uint64_t sectors() const noexcept { return storage_.size() / sector_size; }
  void fill() noexcept;
  void offer_block() noexcept;
  void block_done() noexcept;
  void expect_data() noexcept;
  void read_done(bool succeeded) noexcept;
  void write_done(bool succeeded) noexcept;
  void submit(BlockRequest::Kind kind, std::uint64_t lba, std::uint32_t count, std::uint32_t at) noexcept;
  void flush() noexcept;
  void finish() noexcept;
  void fail(std::uint8_t error) noexcept;
  void fail_at(std::uint64_t lba, std::uint8_t error, bool fault) noexcept;
  void show_signature() noexcept;
  void finish_reset() noexcept;

  BlockStorage& storage_;
  const std::string serial_;
  const Geometry default_geometry_;
  BlockRequest request_;
  iovec piece_{};

  Registers registers_;
  std::uint8_t error_ = diagnostic_passed;
  bool failed_ = false;
  bool fault_ = false;
  bool interrupt_ = false;
  State state_ = State::ready;
  bool outstanding_ = false;  ///< request_ is the storage's
  bool resetting_ = false;
  bool reset_ends_ = false;

  bool extended_ = false;  ///< the command under way has 48-bit addresses
  Transfer transfer_;
  std::vector<std::byte> buffer_;
  std::size_t position_ = 0;   ///< of the next byte that the data register moves
  std::size_t block_end_ = 0;  ///< of the block under way
  std::size_t filled_ = 0;     ///< of what is in the buffer, or is to come into it

  Geometry geometry_;
  std::uint8_t multiple_ = 0;
  bool write_cache_ = true;
  bool look_ahead_ = true;
  bool keep_settings_ = false;
  PowerMode power_mode_ = PowerMode::active;
  bool asleep_ = false;

  DriveCounts counts_;
};

}  // namespace kvmbench::ata
