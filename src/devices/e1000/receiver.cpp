#include "devices/e1000/receiver.hpp"

#include <zlib.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "devices/e1000/internet_checksum.hpp"
#include "devices/e1000/receive_checksum.hpp"

namespace kvmbench::e1000 {

namespace {

constexpr std::size_t fcs_size = 4, tag_size = 4, tag_at = 12;
constexpr std::size_t least_frame = 60, ethernet_header = 14;
constexpr std::size_t longest_standard = 1522;  // with FCS and a VLAN tag (13.4.22, LPE)

}  // namespace

Receiver::Receiver(RegisterFile& registers, GuestMemory& memory, const PciDevice& pci, Interrupts& interrupts,
                   Statistics& statistics, NetworkCounters& counters) noexcept
    : registers_(registers),
      memory_(memory),
      pci_(pci),
      interrupts_(interrupts),
      statistics_(statistics),
      counters_(counters),
      ring_(registers, receive_ring) {}

bool Receiver::receive(std::span<const std::byte> frame) noexcept {
  const bool enabled = (registers_[reg::rctl] & rctl::en) != 0 && pci_.bus_master();
  if (!enabled || frame.size() < ethernet_header) return true;
  const std::size_t octets = std::max(frame.size(), least_frame) + fcs_size;
  const bool oversize = too_long(octets);
  const Match match = oversize ? Match::none : match_frame(registers_, frame);
  if (match == Match::none) {
    statistics_.came(octets);
    if (oversize) {
      statistics_.oversize();
      counters_.receive_dropped();
    }
    return true;
  }
  const bool strip = (registers_[reg::ctrl] & ctrl::vme) != 0;
  const auto stripped = strip ? vlan_tag(registers_, frame) : std::nullopt;
  const bool fcs_stored = (registers_[reg::rctl] & rctl::secrc) == 0;
  const std::size_t length = octets - (stripped ? tag_size : 0) - (fcs_stored ? 0 : fcs_size);
  const std::size_t needed = (length + buffer_size() - 1) / buffer_size();
  if (needed > ring_.available()) {
    if (!refused_) statistics_.no_buffer();
    // One that no ring of this size can hold will not come in later either.
    refused_ = needed < std::max(ring_.size(), 1u);
    if (refused_) return false;
    statistics_.came(octets);
    statistics_.missed();
    counters_.receive_dropped();
    interrupts_.raise(cause::rxo);
    return true;
  }
  refused_ = false;
  const std::span<const std::byte> stored = assemble(frame, stripped);
  const std::uint32_t before = ring_.available();
  store(stored.first(length), status_of(stored.first(length), match, stripped));
  statistics_.came(octets);
  statistics_.received(destination_of(frame), octets);
  counters_.received(frame.size());
  interrupts_.received(octets <= registers_[reg::rsrpd]);
  const std::uint32_t threshold = ring_.size() >> ((registers_[reg::rctl] >> rctl::rdmts_shift & 3) + 1);
  if (before > threshold && ring_.available() <= threshold) interrupts_.raise(cause::rxdmt0);
  return true;
}

bool Receiver::too_long(std::size_t octets) const noexcept {
  const bool long_packets = (registers_[reg::rctl] & rctl::lpe) != 0;
  return octets > (long_packets ? longest : longest_standard);
}

/// With padding and FCS, which a frame has on the wire, but without its VLAN tag where that is stripped; the
/// FCS stays that of the whole frame (9.2.2).
std::span<const std::byte> Receiver::assemble(std::span<const std::byte> frame,
                                              std::optional<std::uint16_t> stripped) noexcept {
  std::memcpy(assembled_.data(), frame.data(), frame.size());
  std::size_t size = std::max(frame.size(), least_frame);
  std::memset(assembled_.data() + frame.size(), 0, size - frame.size());
  const auto fcs = static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(assembled_.data()), static_cast<uInt>(size)));
  if (stripped) {
    size -= tag_size;
    std::memmove(assembled_.data() + tag_at, assembled_.data() + tag_at + tag_size, size - tag_at);
  }
  std::memcpy(assembled_.data() + size, &fcs, fcs_size);
  return std::span(assembled_).first(size + fcs_size);
}

ReceiveStatus Receiver::status_of(std::span<const std::byte> stored, Match match,
                                  std::optional<std::uint16_t> stripped) const noexcept {
  ReceiveStatus result;
  unsigned status = rx_status::dd | rx_status::eop;
  if (match == Match::inexact) status |= rx_status::pif;
  if (stripped) {
    status |= rx_status::vp;
    result.special = *stripped;
  }
  const std::uint32_t control = registers_[reg::rxcsum];
  const ReceiveChecksums checked =
      (control & (rxcsum::ipofld | rxcsum::tuofld)) != 0 ? check_received(stored) : ReceiveChecksums();
  unsigned errors = 0;
  if (checked.ip && (control & rxcsum::ipofld) != 0) {
    status |= rx_status::ipcs;
    if (!checked.ip_good) errors |= rx_error::ipe;
  }
  if (checked.transport && (control & rxcsum::tuofld) != 0) {
    status |= rx_status::tcpcs;
    if (!checked.transport_good) errors |= rx_error::tcpe;
  }
  if ((status & (rx_status::ipcs | rx_status::tcpcs)) == 0) status |= rx_status::ixsm;
  const std::size_t start = std::min<std::size_t>(control & rxcsum::pcss, stored.size());
  result.checksum = ones_sum(stored.subspan(start));
  result.status = static_cast<std::uint8_t>(status);
  result.errors = static_cast<std::uint8_t>(errors);
  return result;
}

/// There are enough descriptors. One that cannot be fetched, or whose buffer is not in memory, swallows what
/// it was for, as the bus would.
void Receiver::store(std::span<const std::byte> bytes, const ReceiveStatus& last) noexcept {
  const std::size_t most = buffer_size();
  std::uint16_t checksum = last.checksum;  // in the first descriptor (3.2.3)
  while (!bytes.empty()) {
    const std::span<const std::byte> part = bytes.first(std::min(bytes.size(), most));
    bytes = bytes.subspan(part.size());
    const Gpa at = ring_.next();
    if (const auto buffer = memory_.load<std::uint64_t>(at); buffer.value_or(0) != 0) {
      static_cast<void>(memory_.write(Gpa{*buffer}, part));
    }
    ReceiveStatus status = bytes.empty() ? last : ReceiveStatus{.status = rx_status::dd};
    status.length = static_cast<std::uint16_t>(part.size());
    status.checksum = std::exchange(checksum, std::uint16_t{0});
    std::atomic_thread_fence(std::memory_order_release);  // the data before the status that tells of it
    static_cast<void>(memory_.store(at + descriptor_upper, status.quad()));
    ring_.advance();
  }
}

/// RCTL.BSIZE and BSEX (13.4.22); the reserved combination is taken as without BSEX.
std::size_t Receiver::buffer_size() const noexcept {
  const unsigned size = registers_[reg::rctl] >> rctl::bsize_shift & 3;
  const bool extended = (registers_[reg::rctl] & rctl::bsex) != 0 && size != 0;
  return (std::size_t{2048} >> size) * (extended ? 16 : 1);
}

}  // namespace kvmbench::e1000
