#include "devices/ata/drive.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace kvmbench::ata {
namespace {

/// What the buffer takes at once: a multiple of every block size.
constexpr std::uint32_t buffer_sectors = 256;
static_assert(buffer_sectors % max_multiple == 0);

constexpr std::uint8_t usual_heads = 16, usual_sectors_per_track = 63;

}  // namespace

Drive::Drive(BlockStorage& storage, std::string serial, BlockRequester& requester)
    : storage_(storage),
      serial_(std::move(serial)),
      default_geometry_(Geometry::of(sectors(), usual_heads, usual_sectors_per_track)),
      buffer_(buffer_sectors * sector_size),
      geometry_(default_geometry_) {
  request_.requester = &requester;
  restore_settings();
  show_signature();
}

std::uint8_t Drive::read_register(unsigned reg, bool high_order) const noexcept {
  if (reg == reg_error) return error_;
  if (reg == reg_device) return registers_.device;
  return high_order ? registers_.before.at(reg) : registers_.now.at(reg);
}

void Drive::write_register(unsigned reg, std::uint8_t value) noexcept {
  if (!accepts()) return;
  if (reg == reg_device) {
    registers_.device = value;
  } else {
    registers_.before.at(reg) = std::exchange(registers_.now.at(reg), value);
  }
}

std::uint8_t Drive::status() const noexcept {
  if (resetting_ || state_ == State::busy) return status_bsy;
  unsigned status = status_drdy | status_dsc;
  if (state_ != State::ready) status |= status_drq;
  if (failed_) status |= status_err;
  if (fault_) status |= status_df;
  return static_cast<std::uint8_t>(status);
}

bool Drive::diagnose() noexcept {
  if (!accepts() || asleep_) return false;
  interrupt_ = failed_ = fault_ = false;
  show_signature();
  return true;
}

std::size_t Drive::read_data(std::span<std::byte> to) noexcept {
  std::size_t moved = 0;
  while (moved < to.size() && state_ == State::data_in && !resetting_) {
    const std::size_t count = std::min(to.size() - moved, block_end_ - position_);
    std::memcpy(to.data() + moved, buffer_.data() + position_, count);
    moved += count;
    position_ += count;
    if (position_ == block_end_) block_done();
  }
  return moved;
}

std::size_t Drive::write_data(std::span<const std::byte> from) noexcept {
  std::size_t moved = 0;
  while (moved < from.size() && state_ == State::data_out && !resetting_) {
    const std::size_t count = std::min(from.size() - moved, block_end_ - position_);
    std::memcpy(buffer_.data() + position_, from.data() + moved, count);
    moved += count;
    position_ += count;
    if (position_ == block_end_) block_done();
  }
  return moved;
}

void Drive::begin_reset() noexcept {
  resetting_ = true;
  reset_ends_ = false;
  interrupt_ = false;
}

void Drive::end_reset() noexcept {
  if (!resetting_) return;
  reset_ends_ = true;
  if (!outstanding_) finish_reset();
}

void Drive::finish_reset() noexcept {
  resetting_ = reset_ends_ = false;
  state_ = State::ready;
  failed_ = fault_ = asleep_ = false;
  power_mode_ = PowerMode::active;
  if (!keep_settings_) restore_settings();
  show_signature();
}

/// What tells a disk from a packet device, after a reset and a diagnostic.
void Drive::show_signature() noexcept {
  registers_ = {};
  registers_.now[reg_sector_count] = 1;
  registers_.now[reg_lba_low] = 1;
  error_ = diagnostic_passed;
}

void Drive::completed(bool succeeded) noexcept {
  outstanding_ = false;
  if (resetting_) {
    if (reset_ends_) finish_reset();
    return;
  }
  switch (transfer_.purpose) {
    case Purpose::write:
      write_done(succeeded);
      break;
    case Purpose::flush:
      if (!succeeded) return fail(error_abrt);
      ++counts_.flushes;
      ++counts_.requests;
      finish();
      break;
    default:
      read_done(succeeded);
      break;
  }
}

void Drive::submit(BlockRequest::Kind kind, std::uint64_t lba, std::uint32_t count,
                   std::uint32_t at) noexcept {
  state_ = State::busy;
  outstanding_ = true;
  request_.kind = kind;
  request_.offset = lba * sector_size;
  request_.length = count * sector_size;
  piece_ = {buffer_.data() + at * sector_size, request_.length};
  request_.buffers = {&piece_, count == 0 ? 0u : 1u};
  storage_.submit(request_);
}

void Drive::flush() noexcept {
  transfer_.purpose = Purpose::flush;
  submit(BlockRequest::Kind::flush, 0, 0, 0);
}

// --- PIO data-in: the buffer is filled, then block after block is offered, each with an interrupt

void Drive::fill() noexcept {
  const std::uint32_t count = std::min(transfer_.left, buffer_sectors);
  filled_ = count * sector_size;
  transfer_.good = 0;
  transfer_.one_by_one = false;
  submit(BlockRequest::Kind::read, transfer_.lba, count, 0);
}

void Drive::read_done(bool succeeded) noexcept {
  if (succeeded) {
    transfer_.good += static_cast<std::uint32_t>(request_.length / sector_size);
    if (transfer_.good * sector_size < filled_) {
      return submit(BlockRequest::Kind::read, transfer_.lba + transfer_.good, 1, transfer_.good);
    }
  } else if (!transfer_.one_by_one && filled_ > sector_size) {
    transfer_.one_by_one = true;
    return submit(BlockRequest::Kind::read, transfer_.lba, 1, 0);
  } else {
    transfer_.bad = transfer_.lba + transfer_.good;
    filled_ = transfer_.good / transfer_.block * transfer_.block * sector_size;  // whole blocks before it
  }
  position_ = block_end_ = transfer_.purpose == Purpose::verify ? filled_ : 0;
  state_ = State::data_in;
  block_done();
}

/// The data register has moved a block, or there is a buffer to begin with.
void Drive::block_done() noexcept {
  if (position_ < filled_) return offer_block();
  if (state_ == State::data_out) {
    const auto count = static_cast<std::uint32_t>(filled_ / sector_size);
    return submit(BlockRequest::Kind::write, transfer_.lba, count, 0);
  }
  const auto count = static_cast<std::uint32_t>(filled_ / sector_size);
  transfer_.lba += count;
  transfer_.left -= count;
  if (transfer_.purpose == Purpose::read) counts_.bytes_read += filled_;
  if (transfer_.bad) return fail_at(*transfer_.bad, error_unc, false);
  if (transfer_.left != 0) return fill();
  if (transfer_.purpose != Purpose::identify) ++counts_.requests;
  state_ = State::ready;
  if (transfer_.purpose == Purpose::verify) finish();  // data-in commands end without an interrupt
}

void Drive::offer_block() noexcept {
  block_end_ = std::min(position_ + transfer_.block * sector_size, filled_);
  interrupt_ = true;
}

// --- PIO data-out: blocks are asked for, each but the first with an interrupt, until the buffer can be
// written

void Drive::expect_data() noexcept {
  filled_ = std::min(transfer_.left, buffer_sectors) * sector_size;
  position_ = 0;
  state_ = State::data_out;
  offer_block();
}

void Drive::write_done(bool succeeded) noexcept {
  // Which of the sectors could not be written is not known; before the first all were.
  if (!succeeded) return fail_at(transfer_.lba, error_abrt, true);
  const auto count = static_cast<std::uint32_t>(filled_ / sector_size);
  transfer_.lba += count;
  transfer_.left -= count;
  counts_.bytes_written += filled_;
  if (transfer_.left != 0) return expect_data();
  if (!write_cache_) return flush();
  ++counts_.requests;
  finish();
}

void Drive::finish() noexcept {
  state_ = State::ready;
  interrupt_ = true;
}

void Drive::fail(std::uint8_t error) noexcept {
  error_ = error;
  failed_ = true;
  finish();
}

void Drive::fail_at(std::uint64_t lba, std::uint8_t error, bool fault) noexcept {
  show_address(lba);
  fault_ = fault;
  fail(error);
}

}  // namespace kvmbench::ata
