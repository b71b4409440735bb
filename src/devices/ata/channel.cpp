#include "devices/ata/channel.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "devices/ata/registers.hpp"
#include "devices/register_access.hpp"

namespace kvmbench::ata {
namespace {

constexpr unsigned data_width = 2;  // the data register's; a 32-bit access is two cycles

/// The data register takes words; the rest are bytes on an 8-bit bus.
bool is_data(std::uint64_t offset, unsigned width) noexcept {
  return offset == reg_data && (width == data_width || width == 2 * data_width);
}

/// Where the registers end that an access at `offset` can reach: the two blocks are not neighbours.
std::uint64_t end_of_block(std::uint64_t offset) noexcept {
  return offset < Channel::command_block_size ? Channel::command_block_size : Channel::size;
}

}  // namespace

Channel::Channel(std::string name, InterruptLine& line, const DriveConfig& first, const DriveConfig* second)
    : name_(std::move(name)), line_(line) {
  BlockRequester& requester = *this;
  drives_[0] = std::make_unique<Drive>(*first.storage, first.serial, requester);
  if (second != nullptr) drives_[1] = std::make_unique<Drive>(*second->storage, second->serial, requester);
}

Channel::~Channel() {
  for (const auto& drive : drives_) {
    if (drive) drive->drain();
  }
}

std::uint64_t Channel::read(std::uint64_t offset, unsigned width) noexcept {
  const std::lock_guard lock(mutex_);
  if (is_data(offset, width)) {
    std::uint64_t value = 0;
    read_data(std::as_writable_bytes(std::span(&value, 1)).first(width));
    return value;
  }
  const std::uint64_t value =
      read_bytes(offset, width, end_of_block(offset), [this](std::uint64_t at) { return read_register(at); });
  drive_line();
  return value;
}

void Channel::write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept {
  const std::lock_guard lock(mutex_);
  if (is_data(offset, width)) return write_data(std::as_bytes(std::span(&value, 1)).first(width));
  write_bytes(offset, width, value, end_of_block(offset),
              [this](std::uint64_t at, std::uint8_t byte) { write_register(at, byte); });
  drive_line();
}

void Channel::read_string(std::uint64_t offset, unsigned width, std::span<std::byte> to) noexcept {
  if (!is_data(offset, width)) return Device::read_string(offset, width, to);
  const std::lock_guard lock(mutex_);
  read_data(to);
}

void Channel::write_string(std::uint64_t offset, unsigned width, std::span<const std::byte> from) noexcept {
  if (!is_data(offset, width)) return Device::write_string(offset, width, from);
  const std::lock_guard lock(mutex_);
  write_data(from);
}

void Channel::read_data(std::span<std::byte> to) noexcept {
  Drive* const drive = selected();
  const std::size_t moved = drive != nullptr ? drive->read_data(to) : 0;
  std::fill(to.begin() + static_cast<std::ptrdiff_t>(moved), to.end(),
            std::byte{0xff});  // nobody drives the bus
  drive_line();
}

void Channel::write_data(std::span<const std::byte> from) noexcept {
  if (Drive* const drive = selected()) drive->write_data(from);
  drive_line();
}

/// Where Device 1 is selected and not there, Device 0 answers for it: with its own registers, but 0 for
/// Status
/// ("Device 0 only configurations").
std::uint8_t Channel::read_register(std::uint64_t offset) noexcept {
  Drive* const drive = selected();
  if (drive == nullptr) {
    const bool status = offset == reg_status || offset == reg_alternate_status;
    if (status || offset == reg_data) return 0;
    return drives_[0]->read_register(static_cast<unsigned>(offset), (device_control_ & control_hob) != 0);
  }
  if (offset == reg_alternate_status) return drive->status();
  if (offset == reg_status) {
    drive->acknowledge();
    return drive->status();
  }
  if (offset == reg_data) {
    std::array<std::byte, data_width> word{};
    read_data(word);
    return std::to_integer<std::uint8_t>(word[0]);
  }
  // Nothing but Status means anything while a drive is busy, and it shows in every register.
  if ((drive->status() & status_bsy) != 0) return drive->status();
  return drive->read_register(static_cast<unsigned>(offset), (device_control_ & control_hob) != 0);
}

void Channel::write_register(std::uint64_t offset, std::uint8_t value) noexcept {
  if (offset == reg_device_control) return write_device_control(value);
  device_control_ &= static_cast<std::uint8_t>(~control_hob);  // any write to the command block clears it
  if (offset == reg_data) {
    const std::array<std::byte, data_width> word = {std::byte{value}, std::byte{0}};
    return write_data(word);
  }
  if (offset == reg_command) return execute(value);
  if (offset == reg_device) dev_ = (value & device_dev) != 0 ? 1 : 0;
  for (const auto& drive : drives_) {
    if (drive) drive->write_register(static_cast<unsigned>(offset), value);
  }
}

void Channel::execute(std::uint8_t command) noexcept {
  if (command != cmd_execute_device_diagnostic) {
    if (Drive* const drive = selected()) drive->execute(command);
    return;
  }
  // Both drives obey, whichever is selected; Device 0 answers for both.
  if (drives_[1]) static_cast<void>(drives_[1]->diagnose());
  if (!drives_[0]->diagnose()) return;
  dev_ = 0;
  drives_[0]->interrupt_host();
}

void Channel::write_device_control(std::uint8_t value) noexcept {
  device_control_ = value;
  for (const auto& drive : drives_) {
    if (!drive) continue;
    if ((value & control_srst) != 0) {
      drive->begin_reset();
    } else {
      drive->end_reset();
    }
  }
  if ((value & control_srst) != 0) dev_ = 0;  // the signature's Device register says so
}

void Channel::completed(BlockRequest& request, bool succeeded) noexcept {
  const std::lock_guard lock(mutex_);
  Drive& drive = &request == &drives_[0]->request() ? *drives_[0] : *drives_[1];
  drive.completed(succeeded);
  drive_line();
}

void Channel::drive_line() noexcept {
  const Drive* const drive = selected();
  const bool asserted = drive != nullptr && drive->interrupt() && (device_control_ & control_nien) == 0;
  if (asserted == asserted_) return;
  asserted_ = asserted;
  line_.set(asserted);
}

std::string Channel::register_name(std::uint64_t offset, Direction direction) const {
  const bool read = direction != Direction::write;
  switch (offset) {
    case reg_data:
      return "data";
    case reg_error:
      return read ? "error" : "features";
    case reg_sector_count:
      return "sector count";
    case reg_lba_low:
      return "LBA low";
    case reg_lba_mid:
      return "LBA mid";
    case reg_lba_high:
      return "LBA high";
    case reg_device:
      return "device";
    case reg_status:
      return read ? "status" : "command";
    case reg_alternate_status:
      return read ? "alternate status" : "device control";
    default:
      return unnamed_register(offset);
  }
}

std::vector<Operation> Channel::operations() const {
  DriveCounts total;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& drive : drives_) {
      if (!drive) continue;
      const DriveCounts& counts = drive->counts();
      total.requests += counts.requests;
      total.bytes_read += counts.bytes_read;
      total.bytes_written += counts.bytes_written;
      total.flushes += counts.flushes;
    }
  }
  return {{"requests", total.requests},
          {"bytes", total.bytes_read + total.bytes_written},
          {"bytes read", total.bytes_read},
          {"bytes written", total.bytes_written},
          {"flushes", total.flushes}};
}

}  // namespace kvmbench::ata
