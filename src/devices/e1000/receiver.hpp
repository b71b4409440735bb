/// The receive unit: from a frame to descriptors and buffers in the guest's memory (3.2).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "devices/e1000/interrupts.hpp"
#include "devices/e1000/receive_filter.hpp"
#include "devices/e1000/register_file.hpp"
#include "devices/e1000/ring.hpp"
#include "devices/e1000/statistics.hpp"
#include "devices/network_counters.hpp"
#include "devices/pci_device.hpp"
#include "memory/guest_memory.hpp"

namespace kvmbench::e1000 {

/// Called with the card's lock held.
class Receiver final {
 public:
  Receiver(RegisterFile& registers, GuestMemory& memory, const PciDevice& pci, Interrupts& interrupts,
           Statistics& statistics, NetworkCounters& counters) noexcept;

  /// A frame without padding and FCS. False where the ring has too few descriptors now; else it is stored, or
  /// not for this station, or lost.
  [[nodiscard]] bool receive(std::span<const std::byte> frame) noexcept;

  void reset() noexcept { refused_ = false; }

 private:
  static constexpr std::size_t longest = 16384;  // with FCS (13.4.22, LPE)

  [[nodiscard]] bool too_long(std::size_t octets) const noexcept;
  [[nodiscard]] std::span<const std::byte> assemble(std::span<const std::byte> frame,
                                                    std::optional<std::uint16_t> stripped) noexcept;
  [[nodiscard]] ReceiveStatus status_of(std::span<const std::byte> stored, Match match,
                                        std::optional<std::uint16_t> stripped) const noexcept;
  void store(std::span<const std::byte> bytes, const ReceiveStatus& last) noexcept;
  [[nodiscard]] std::size_t buffer_size() const noexcept;

  RegisterFile& registers_;
  GuestMemory& memory_;
  const PciDevice& pci_;
  Interrupts& interrupts_;
  Statistics& statistics_;
  NetworkCounters& counters_;
  Ring ring_;
  bool refused_ = false;                      // the frame that comes next has come before
  std::array<std::byte, longest> assembled_;  // as it is stored
};

}  // namespace kvmbench::e1000
