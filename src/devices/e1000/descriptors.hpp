/// Receive and transmit descriptors: 16 bytes each, little-endian, in the guest's memory (3.2.3, 3.3).
#pragma once

#include <array>
#include <cstdint>

namespace kvmbench::e1000 {

inline constexpr std::uint64_t descriptor_size = 16;
/// Where the second half lies, in which all that is written back is.
inline constexpr std::uint64_t descriptor_upper = 8;
/// Where a transmit descriptor's status byte lies.
inline constexpr std::uint64_t transmit_status = 12;

/// A descriptor as it was fetched, `count` bits of it from bit `first` on.
struct Descriptor {
  std::array<std::uint64_t, 2> quads{};

  [[nodiscard]] constexpr std::uint32_t field(unsigned first, unsigned count) const noexcept {
    return static_cast<std::uint32_t>(quads[first / 64] >> first % 64 & ((std::uint64_t{1} << count) - 1));
  }
  [[nodiscard]] constexpr std::uint64_t address() const noexcept { return quads[0]; }
};

namespace rx_status {  // table 3-2
enum : std::uint8_t { dd = 0x01, eop = 0x02, ixsm = 0x04, vp = 0x08, tcpcs = 0x20, ipcs = 0x40, pif = 0x80 };
}
namespace rx_error {  // table 3-3
enum : std::uint8_t { tcpe = 0x20, ipe = 0x40 };
}

/// What is written back to a receive descriptor (table 3-1).
struct ReceiveStatus {
  std::uint16_t length = 0;
  std::uint16_t checksum = 0;
  std::uint8_t status = 0;
  std::uint8_t errors = 0;
  std::uint16_t special = 0;

  [[nodiscard]] constexpr std::uint64_t quad() const noexcept {
    return std::uint64_t{length} | std::uint64_t{checksum} << 16 | std::uint64_t{status} << 32 |
           std::uint64_t{errors} << 40 | std::uint64_t{special} << 48;
  }
};

namespace tx_command {  // tables 3-11, 3-15 and 3-18: CMD, TUCMD, DCMD
enum : std::uint8_t {
  eop = 0x01,
  tcp = 0x01,  // of a context: else UDP
  ip = 0x02,   // of a context: IPv4, else IPv6
  ic = 0x04,   // of a legacy descriptor: insert checksum
  tse = 0x04,  // of the others
  rs = 0x08,
  dext = 0x20,
  vle = 0x40,
  ide = 0x80,
};
}
namespace tx_options {  // POPTS, table 3-20
enum : std::uint8_t { ixsm = 0x01, txsm = 0x02 };
}
enum class TransmitType : std::uint8_t { legacy, context, data, unknown };
inline constexpr std::uint8_t tx_done = 0x01;  // STA.DD

/// Fields of a transmit descriptor, which of its three formats it has or not.
struct TransmitDescriptor : Descriptor {
  [[nodiscard]] constexpr std::uint8_t command() const noexcept {
    return static_cast<std::uint8_t>(field(88, 8));
  }
  [[nodiscard]] constexpr bool has(std::uint8_t bit) const noexcept { return (command() & bit) != 0; }
  [[nodiscard]] constexpr TransmitType type() const noexcept {
    if (!has(tx_command::dext)) return TransmitType::legacy;
    const std::uint32_t dtyp = field(84, 4);
    return dtyp == 0 ? TransmitType::context : dtyp == 1 ? TransmitType::data : TransmitType::unknown;
  }
  /// Of the buffer: 16 bits of a legacy descriptor, 20 of a data descriptor's DTALEN and a context's PAYLEN.
  [[nodiscard]] constexpr std::uint32_t length() const noexcept {
    return field(64, has(tx_command::dext) ? 20 : 16);
  }
  [[nodiscard]] constexpr std::uint8_t legacy_cso() const noexcept {
    return static_cast<std::uint8_t>(field(80, 8));
  }
  [[nodiscard]] constexpr std::uint8_t legacy_css() const noexcept {
    return static_cast<std::uint8_t>(field(104, 8));
  }
  [[nodiscard]] constexpr std::uint8_t popts() const noexcept {
    return static_cast<std::uint8_t>(field(104, 8));
  }
  [[nodiscard]] constexpr std::uint16_t special() const noexcept {
    return static_cast<std::uint16_t>(field(112, 16));
  }
};

}  // namespace kvmbench::e1000
