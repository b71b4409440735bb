/// The statistics registers (13.7). Each clears when it is read and stops at its highest value; a pair of two
/// clears when its upper half is read. Octets count from the destination address to the FCS.
///
/// The medium here has no collisions, no errors and no flow control, so that most of them stay 0.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "devices/mac_address.hpp"

namespace kvmbench::e1000 {

class Statistics final {
 public:
  static constexpr std::size_t count = 64;

  /// Register `index` (its offset from the first / 4), and clears it.
  [[nodiscard]] std::uint32_t read(std::size_t index) noexcept;
  /// "GPRC"; empty where there is none.
  [[nodiscard]] static std::string_view name(std::size_t index) noexcept;

  /// A frame of `octets`, FCS included, that came over the wire, ...
  void came(std::size_t octets) noexcept;
  /// ... and was for this station and stored;
  void received(const MacAddress& destination, std::size_t octets) noexcept;
  /// ... or was longer than is taken (ROC);
  void oversize() noexcept { add(roc); }
  /// ... or was for this station, while there was no room for it (RNBC), ...
  void no_buffer() noexcept { add(rnbc); }
  /// ... and was lost (MPC).
  void missed() noexcept { add(mpc); }

  void transmitted(const MacAddress& destination, std::size_t octets) noexcept;
  /// A TCP segmentation context was sent to its end.
  void segmented() noexcept { add(tsctc); }

  void clear() noexcept { values_.fill(0); }

 private:
  enum Index : std::size_t {
    mpc = 0x10 / 4,
    prc64 = 0x5c / 4,
    gprc = 0x74 / 4,
    bprc = 0x78 / 4,
    mprc = 0x7c / 4,
    gptc = 0x80 / 4,
    gorcl = 0x88 / 4,
    gotcl = 0x90 / 4,
    rnbc = 0xa0 / 4,
    roc = 0xac / 4,
    torl = 0xc0 / 4,
    totl = 0xc8 / 4,
    tpr = 0xd0 / 4,
    tpt = 0xd4 / 4,
    ptc64 = 0xd8 / 4,
    mptc = 0xf0 / 4,
    bptc = 0xf4 / 4,
    tsctc = 0xf8 / 4,
  };

  void add(std::size_t index) noexcept;
  void add_octets(std::size_t low, std::size_t octets) noexcept;

  std::array<std::uint32_t, count> values_{};
};

}  // namespace kvmbench::e1000
