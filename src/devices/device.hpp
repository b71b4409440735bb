/// What a device is to the rest of the machine: something that answers accesses to its registers, drives
/// interrupt lines and, asked for a report, names what it is. No KVM here: every device is tested on a plain
/// machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/direction.hpp"

namespace kvmbench {

/// How much of its service a device has given, in its own terms: "requests", "packets", "bytes". Reports set
/// exits against it.
struct Operation {
  std::string_view name;  ///< plural, of static storage
  std::uint64_t count = 0;

  friend bool operator==(const Operation&, const Operation&) = default;
};

/// One device on a bus. Any vCPU thread and the I/O thread may call it at the same time: a device with state
/// guards it with its own mutex, held for the access only.
class Device {
 public:
  virtual ~Device() = default;

  /// An access of `width` bytes (1, 2, 4; on MMIO also 8, or any of 1 to 8 where an access crosses a page) at
  /// `offset` from the region's start. The guest chooses both freely: an access that reaches past the
  /// device's registers reads as all ones there, and what is written there is dropped. Only the low `width`
  /// bytes of a value mean anything. Neither allocates nor throws.
  virtual std::uint64_t read(std::uint64_t offset, unsigned width) noexcept = 0;
  virtual void write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept = 0;

  /// REP INS and REP OUTS: as many accesses of `width` bytes at `offset`, one after the other, as the bytes
  /// given hold. A device that moves much data by one register does them at once.
  virtual void read_string(std::uint64_t offset, unsigned width, std::span<std::byte> to) noexcept;
  virtual void write_string(std::uint64_t offset, unsigned width, std::span<const std::byte> from) noexcept;

  /// "uart0", "rtc": unique in a machine. For reports; never on the exit path.
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// The register as the device's manual names it ("THR"), or "+0x5" where the manual names none.
  [[nodiscard]] virtual std::string register_name(std::uint64_t offset, Direction direction) const = 0;
  /// What it has done since the machine began. Any thread, at any time; for reports. Empty where nothing is
  /// counted.
  [[nodiscard]] virtual std::vector<Operation> operations() const { return {}; }
};

/// `width` bytes of ones: what a bus answers where nobody does.
[[nodiscard]] constexpr std::uint64_t all_ones(unsigned width) noexcept {
  return width >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * width)) - 1;
}

}  // namespace kvmbench
