// What each command of a Drive does before data move.

#include <bit>

#include "devices/ata/drive.hpp"

namespace kvmbench::ata {

void Drive::execute(std::uint8_t command) noexcept {
  if (!accepts() || asleep_) return;
  interrupt_ = failed_ = fault_ = false;
  error_ = 0;
  switch (command) {
    case cmd_read_sectors:
    case cmd_read_sectors_no_retry:
      return start_transfer(Purpose::read, false, 1);
    case cmd_read_sectors_ext:
      return start_transfer(Purpose::read, true, 1);
    case cmd_read_multiple:
      return start_multiple(Purpose::read, false);
    case cmd_read_multiple_ext:
      return start_multiple(Purpose::read, true);
    case cmd_write_sectors:
    case cmd_write_sectors_no_retry:
      return start_transfer(Purpose::write, false, 1);
    case cmd_write_sectors_ext:
      return start_transfer(Purpose::write, true, 1);
    case cmd_write_multiple:
      return start_multiple(Purpose::write, false);
    case cmd_write_multiple_ext:
      return start_multiple(Purpose::write, true);
    case cmd_read_verify:
    case cmd_read_verify_no_retry:
      return start_transfer(Purpose::verify, false, 1);
    case cmd_read_verify_ext:
      return start_transfer(Purpose::verify, true, 1);
    case cmd_flush_cache:
    case cmd_flush_cache_ext:
      return flush();
    default:
      return execute_other(command);
  }
}

/// Commands that do not reach the storage.
void Drive::execute_other(std::uint8_t command) noexcept {
  switch (command) {
    case cmd_identify_device:
      return identify_device();
    case cmd_set_features:
      return set_features();
    case cmd_set_multiple_mode:
      return set_multiple_mode();
    case cmd_initialize_device_parameters:
      return initialize_device_parameters();
    case cmd_seek:
      return seek();
    case cmd_standby_immediate:
    case cmd_standby:  // its timer is the device's business (IDENTIFY DEVICE, word 49)
      return enter(PowerMode::standby);
    case cmd_idle_immediate:
    case cmd_idle:
      return enter(PowerMode::idle);
    case cmd_check_power_mode:
      registers_.now[reg_sector_count] = static_cast<std::uint8_t>(power_mode_);
      return finish();
    case cmd_sleep:
      asleep_ = true;
      return enter(PowerMode::standby);
    default:  // NOP, too, which always aborts
      return fail(error_abrt);
  }
}

void Drive::start_transfer(Purpose purpose, bool extended, std::uint32_t block) noexcept {
  extended_ = extended;
  if (purpose == Purpose::write && storage_.read_only()) return fail(error_abrt);
  const std::uint32_t count = sector_count(extended);
  const std::optional<std::uint64_t> first = address(extended);
  if (!first) return fail(error_idnf);
  if (*first >= sectors()) return fail_at(*first, error_idnf, false);
  if (count > sectors() - *first) return fail_at(sectors(), error_idnf, false);
  power_mode_ = PowerMode::active;
  transfer_ = {.purpose = purpose, .lba = *first, .left = count, .block = block, .bad = {}};
  if (purpose != Purpose::write) return fill();
  expect_data();
  interrupt_ = false;  // the host waits for the first block's DRQ without one
}

void Drive::start_multiple(Purpose purpose, bool extended) noexcept {
  if (multiple_ == 0) return fail(error_abrt);
  start_transfer(purpose, extended, multiple_);
}

void Drive::seek() noexcept {
  extended_ = false;
  const std::optional<std::uint64_t> to = address(false);
  if (!to) return fail(error_idnf);
  if (*to >= sectors()) return fail_at(*to, error_idnf, false);
  finish();
}

void Drive::identify_device() noexcept {
  const auto answer = identify({.sectors = sectors(),
                                .serial = serial_,
                                .default_geometry = default_geometry_,
                                .current_geometry = geometry_,
                                .multiple = multiple_,
                                .write_cache = write_cache_,
                                .look_ahead = look_ahead_});
  std::transform(answer.begin(), answer.end(), buffer_.begin(),
                 [](std::uint8_t byte) { return std::byte{byte}; });
  transfer_ = {.purpose = Purpose::identify, .left = 1, .bad = {}};
  filled_ = answer.size();
  position_ = 0;
  state_ = State::data_in;
  offer_block();
}

void Drive::set_features() noexcept {
  const auto possible =
      [](std::uint8_t mode) {  // Sector Count: PIO default, without IORDY, or mode 0 to 4 with it
        return mode <= 0x01 || (mode >= 0x08 && mode <= 0x0c);
      };
  switch (registers_.now[reg_features]) {
    case feature_enable_write_cache:
      write_cache_ = true;
      break;
    case feature_disable_write_cache:
      write_cache_ = false;
      return flush();  // what the cache holds goes to the medium first
    case feature_enable_look_ahead:
      look_ahead_ = true;
      break;
    case feature_disable_look_ahead:
      look_ahead_ = false;
      break;
    case feature_keep_settings:
      keep_settings_ = true;
      break;
    case feature_revert_settings:
      keep_settings_ = false;
      break;
    case feature_set_transfer_mode:
      if (!possible(registers_.now[reg_sector_count])) return fail(error_abrt);
      break;
    default:
      return fail(error_abrt);
  }
  finish();
}

void Drive::set_multiple_mode() noexcept {
  const std::uint8_t count = registers_.now[reg_sector_count];
  multiple_ = 0;
  if (count == 0) return finish();
  if (!std::has_single_bit(count) || count > max_multiple) return fail(error_abrt);
  multiple_ = count;
  finish();
}

void Drive::initialize_device_parameters() noexcept {
  const std::uint8_t sectors_per_track = registers_.now[reg_sector_count];
  if (sectors_per_track == 0) return fail(error_abrt);
  const auto heads = static_cast<std::uint8_t>((registers_.device & device_address) + 1);
  geometry_ = Geometry::of(sectors(), heads, sectors_per_track);
  finish();
}

void Drive::enter(PowerMode mode) noexcept {
  power_mode_ = mode;
  finish();
}

/// 0 means the most that the register, or the pair, could count to.
std::uint32_t Drive::sector_count(bool extended) const noexcept {
  const std::uint32_t low = registers_.now[reg_sector_count];
  if (!extended) return low != 0 ? low : 256;
  const std::uint32_t count = std::uint32_t{registers_.before[reg_sector_count]} << 8 | low;
  return count != 0 ? count : 65536;
}

/// nullopt where there is no such place: no such head or sector, or a 48-bit command that does not say LBA.
std::optional<std::uint64_t> Drive::address(bool extended) const noexcept {
  const auto& now = registers_.now;
  const auto& before = registers_.before;
  const auto join = [](const std::array<std::uint8_t, 6>& set) {
    return std::uint64_t{set[reg_lba_high]} << 16 | std::uint64_t{set[reg_lba_mid]} << 8 | set[reg_lba_low];
  };
  const unsigned nibble = registers_.device & device_address;
  if ((registers_.device & device_lba) != 0) {
    return extended ? join(before) << 24 | join(now) : std::uint64_t{nibble} << 24 | join(now);
  }
  if (extended) return std::nullopt;
  return geometry_.lba_of({.cylinder = static_cast<std::uint16_t>(now[reg_lba_high] << 8 | now[reg_lba_mid]),
                           .head = static_cast<std::uint8_t>(nibble),
                           .sector = now[reg_lba_low]});
}

/// Puts an address where the command under way has taken its own from.
void Drive::show_address(std::uint64_t lba) noexcept {
  const auto split = [](std::array<std::uint8_t, 6>& set, std::uint64_t value) {
    set[reg_lba_low] = static_cast<std::uint8_t>(value);
    set[reg_lba_mid] = static_cast<std::uint8_t>(value >> 8);
    set[reg_lba_high] = static_cast<std::uint8_t>(value >> 16);
  };
  std::uint64_t nibble = lba >> 24;
  if ((registers_.device & device_lba) != 0) {
    split(registers_.now, lba);
    if (extended_) return split(registers_.before, lba >> 24);
  } else {
    const ChsAddress place = geometry_.chs_of(lba);
    split(registers_.now, std::uint64_t{place.cylinder} << 8 | place.sector);
    nibble = place.head;
  }
  registers_.device =
      static_cast<std::uint8_t>((registers_.device & ~device_address) | (nibble & device_address));
}

/// As after power-on, and after the firmware of a PC, which turns READ MULTIPLE on: Linux takes what it
/// finds.
void Drive::restore_settings() noexcept {
  geometry_ = default_geometry_;
  multiple_ = max_multiple;
  write_cache_ = true;
  look_ahead_ = true;
}

}  // namespace kvmbench::ata
