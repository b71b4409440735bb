/// Registers, bits and commands of a parallel ATA device, by their names in AT Attachment with Packet
/// Interface - 6 (ATA/ATAPI-6, T13 1410D revision 3b), clauses 7 and 8. Comments of this folder name its
/// registers and commands.
#pragma once

#include <cstdint>

namespace kvmbench::ata {

/// Command block registers, and the control block's one, by their offset in the device.
enum Register : std::uint8_t {
  reg_data = 0,
  reg_error = 1,     ///< read
  reg_features = 1,  ///< write
  reg_sector_count = 2,
  reg_lba_low = 3,
  reg_lba_mid = 4,
  reg_lba_high = 5,
  reg_device = 6,
  reg_status = 7,            ///< read
  reg_command = 7,           ///< write
  reg_alternate_status = 8,  ///< read
  reg_device_control = 8,    ///< write
};

enum Status : std::uint8_t {
  status_err = 0x01,
  status_drq = 0x08,
  status_dsc = 0x10,  // "command dependent" here, seek complete for every command in ATA-3
  status_df = 0x20,
  status_drdy = 0x40,
  status_bsy = 0x80,
};

enum Error : std::uint8_t {
  error_abrt = 0x04,
  error_idnf = 0x10,
  error_unc = 0x40,
};
inline constexpr std::uint8_t diagnostic_passed = 0x01;  ///< EXECUTE DEVICE DIAGNOSTIC

enum DeviceBits : std::uint8_t {
  device_address = 0x0f,  // LBA bits 27:24, or the head
  device_dev = 0x10,
  device_lba = 0x40,
};

enum DeviceControl : std::uint8_t {
  control_nien = 0x02,
  control_srst = 0x04,
  control_hob = 0x80,
};

enum Command : std::uint8_t {
  cmd_nop = 0x00,
  cmd_read_sectors = 0x20,
  cmd_read_sectors_no_retry = 0x21,  // of ATA-4; the PCs' firmware of old uses them
  cmd_read_sectors_ext = 0x24,
  cmd_read_multiple_ext = 0x29,
  cmd_write_sectors = 0x30,
  cmd_write_sectors_no_retry = 0x31,
  cmd_write_sectors_ext = 0x34,
  cmd_write_multiple_ext = 0x39,
  cmd_read_verify = 0x40,
  cmd_read_verify_no_retry = 0x41,
  cmd_read_verify_ext = 0x42,
  cmd_seek = 0x70,
  cmd_execute_device_diagnostic = 0x90,
  cmd_initialize_device_parameters = 0x91,  // of ATA-5
  cmd_read_multiple = 0xc4,
  cmd_write_multiple = 0xc5,
  cmd_set_multiple_mode = 0xc6,
  cmd_standby_immediate = 0xe0,
  cmd_idle_immediate = 0xe1,
  cmd_standby = 0xe2,
  cmd_idle = 0xe3,
  cmd_check_power_mode = 0xe5,
  cmd_sleep = 0xe6,
  cmd_flush_cache = 0xe7,
  cmd_flush_cache_ext = 0xea,
  cmd_identify_device = 0xec,
  cmd_set_features = 0xef,
};

/// SET FEATURES.
enum Feature : std::uint8_t {
  feature_enable_write_cache = 0x02,
  feature_set_transfer_mode = 0x03,
  feature_disable_look_ahead = 0x55,
  feature_keep_settings = 0x66,  // at a software reset
  feature_disable_write_cache = 0x82,
  feature_enable_look_ahead = 0xaa,
  feature_revert_settings = 0xcc,
};

/// What CHECK POWER MODE answers.
enum class PowerMode : std::uint8_t { standby = 0x00, idle = 0x80, active = 0xff };

}  // namespace kvmbench::ata
