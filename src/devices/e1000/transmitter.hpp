/// The transmit unit: from descriptors and buffers in the guest's memory to frames (3.3 to 3.6).
///
/// It works in steps, each bounded by one frame or one descriptor, and can stop after any of them: a single
/// descriptor of a segmentation may stand for very many frames.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "devices/e1000/interrupts.hpp"
#include "devices/e1000/register_file.hpp"
#include "devices/e1000/ring.hpp"
#include "devices/e1000/statistics.hpp"
#include "devices/network_counters.hpp"
#include "devices/pci_device.hpp"
#include "memory/guest_memory.hpp"

namespace kvmbench::e1000 {

/// Where frames go; with the card's lock held. False where the frame is lost.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  virtual bool send(std::span<const std::byte> frame) noexcept = 0;
};

/// Called with the card's lock held.
class Transmitter final {
 public:
  Transmitter(RegisterFile& registers, GuestMemory& memory, const PciDevice& pci, Interrupts& interrupts,
              Statistics& statistics, NetworkCounters& counters, FrameSink& sink) noexcept;

  /// Sends one frame or finishes one descriptor; false where there is nothing to do.
  bool step() noexcept;

  void reset() noexcept;

 private:
  /// Without padding and FCS: 80 bytes less than the transmit FIFO's 16 KiB (3.3.7).
  static constexpr std::size_t longest = 16 * 1024 - 80;

  /// What a context descriptor says of the packets after it (3.3.6).
  struct Context {
    std::uint8_t ipcss = 0, ipcso = 0, tucss = 0, tucso = 0;
    std::uint16_t ipcse = 0, tucse = 0;
    std::uint32_t paylen = 0;
    std::uint8_t hdrlen = 0;
    std::uint16_t mss = 0;
    bool ipv4 = false, tcp = false;
  };
  /// The packet whose descriptors are being worked through.
  struct Packet {
    bool begun = false;
    bool legacy = false;
    bool segmented = false;  // by TSE of its first data descriptor
    bool spoilt = false;     // it is too long, or not all of it is in memory: nothing of it is sent any more
    std::uint8_t popts = 0;
    std::uint8_t css = 0;  // of a legacy descriptor
    bool tagged = false;
    std::uint16_t tag = 0;
    Context context{};         // as it was when the packet began
    std::uint32_t frames = 0;  // of a segmentation, so far
  };

  [[nodiscard]] bool fetch() noexcept;
  void finish_descriptor() noexcept;
  void take_context() noexcept;
  void begin_packet() noexcept;
  [[nodiscard]] bool take_segment() noexcept;
  void append(std::uint32_t count) noexcept;
  void end_packet() noexcept;

  void send_segment() noexcept;
  void fix_headers() noexcept;
  void insert_checksums() noexcept;
  void insert_checksum(std::size_t start, std::size_t end, std::size_t place, bool zero_means_none) noexcept;
  void send_frame() noexcept;
  [[nodiscard]] std::span<std::byte> built() noexcept { return std::span(frame_).subspan(room, size_); }

  static constexpr std::size_t room = 4;  // before the frame, for a VLAN tag

  RegisterFile& registers_;
  GuestMemory& memory_;
  const PciDevice& pci_;
  Interrupts& interrupts_;
  Statistics& statistics_;
  NetworkCounters& counters_;
  FrameSink& sink_;
  Ring ring_;

  bool fetched_ = false;  // descriptor_ is the one at the head, and taken_ bytes of its buffer are taken
  TransmitDescriptor descriptor_;
  std::uint32_t taken_ = 0;
  Context offload_;       // the last context with TSE clear, ...
  Context segmentation_;  // ... and the last with TSE set (3.3.5)
  Packet packet_;
  std::size_t size_ = 0;  // of the frame that is being built
  std::array<std::byte, room + longest> frame_{};
  std::array<std::byte, 256> header_{};  // of a segmentation: HDRLEN bytes
};

}  // namespace kvmbench::e1000
