/// A card in a test's hand: its registers, a MiB of memory for its rings, and what is on its other sides.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

#include "../fake_network.hpp"
#include "../fakes.hpp"
#include "devices/e1000/card.hpp"

namespace kvmbench::e1000::test {

using namespace kvmbench::test;

/// Remembers when the alarm was set to.
class FakeAlarm final : public Alarm {
 public:
  void set(std::uint64_t nanoseconds) noexcept override { at = nanoseconds; }

  std::optional<std::uint64_t> at;
};

inline constexpr MacAddress station{{0x52, 0x54, 0x00, 0x12, 0x34, 0x56}};
inline const std::vector<unsigned> to_station{0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
inline const std::vector<unsigned> to_all{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

// Bits as table 3-1 and 3-9 and chapter 13 have them.
inline constexpr std::uint32_t eop = 1u << 24, ifcs = 1u << 25, ic = 1u << 26, tse = 1u << 26, rs = 1u << 27,
                               dext = 1u << 29, vle = 1u << 30, ide = 1u << 31;
inline constexpr std::uint32_t data_type = 1u << 20;
inline constexpr std::uint32_t icr_txdw = 0x01, icr_txqe = 0x02, icr_lsc = 0x04, icr_rxdmt0 = 0x10,
                               icr_rxo = 0x40, icr_rxt0 = 0x80, icr_mdac = 0x200, icr_srpd = 0x10000;
inline constexpr std::uint32_t rctl_en = 0x02, rctl_upe = 0x08, rctl_mpe = 0x10, rctl_lpe = 0x20,
                               rctl_bam = 0x8000, rctl_vfe = 0x40000, rctl_bsex = 1u << 25,
                               rctl_secrc = 1u << 26;
inline constexpr std::uint32_t ctrl_slu = 0x40, ctrl_vme = 1u << 30, ctrl_rst = 1u << 26;

struct Fixture {
  static constexpr std::uint64_t receive_ring_at = 0x1000, transmit_ring_at = 0x2000, buffers_at = 0x1'0000;

  Fixture() {
    card.add_bars(mmio, ports);
    card.pci().connect(1, line);
    card.pci().write_config(0x04, 0x7, 0xffff);  // both spaces and bus mastering
  }

  std::uint32_t get(std::uint32_t offset) { return static_cast<std::uint32_t>(card.read(offset, 4)); }
  void set(std::uint32_t offset, std::uint32_t value) { card.write(offset, 4, value); }

  /// A transmit ring of `count` descriptors, and the transmitter enabled.
  void set_up_transmit(std::uint32_t count = 8) {
    set(reg::tdbal, transmit_ring_at);
    set(reg::tdlen, count * 16);
    set(reg::tctl, 0x02);
  }
  /// Puts a descriptor at the tail, without telling of it.
  void put(std::uint64_t address, std::uint64_t upper) {
    const std::uint32_t size = get(reg::tdlen) / 16;
    const Gpa at{transmit_ring_at + tail * 16};
    REQUIRE(memory.store(at, address));
    REQUIRE(memory.store(at + 8, upper));
    tail = (tail + 1) % size;
  }
  void kick() { set(reg::tdt, tail); }
  [[nodiscard]] std::uint8_t transmit_status(unsigned number) const {
    return memory.load<std::uint8_t>(Gpa{transmit_ring_at + number * 16 + 12}).value();
  }
  /// `bytes` into memory, and where.
  std::uint64_t place(std::span<const std::byte> bytes) {
    const std::uint64_t at = next_buffer;
    if (!bytes.empty()) REQUIRE(memory.write(Gpa{at}, bytes));
    next_buffer += (bytes.size() + 63) & ~std::uint64_t{63};
    return at;
  }

  /// A receive ring of `count` descriptors, all but one the card's, with a buffer of 16 KiB each, and the
  /// receiver on.
  void set_up_receive(std::uint32_t count = 8, std::uint32_t control = rctl_secrc | rctl_bam) {
    for (std::uint32_t i = 0; i < count; ++i) {
      REQUIRE(memory.store(Gpa{receive_ring_at + i * 16}, buffers_at + i * 0x4000));
      REQUIRE(memory.store(Gpa{receive_ring_at + i * 16 + 8}, std::uint64_t{0}));
    }
    set(reg::rdbal, receive_ring_at);
    set(reg::rdlen, count * 16);
    set(reg::rdt, count - 1);
    set(reg::rctl, rctl_en | control);
  }
  struct Received {
    std::uint16_t length, checksum;
    std::uint8_t status, errors;
    std::uint16_t special;
  };
  [[nodiscard]] Received received(unsigned number) const {
    return memory.load<Received>(Gpa{receive_ring_at + number * 16 + 8}).value();
  }
  [[nodiscard]] std::vector<std::byte> buffer(unsigned number, std::size_t size) const {
    std::vector<std::byte> bytes(size);
    REQUIRE(memory.read(Gpa{buffers_at + number * 0x4000}, bytes));
    return bytes;
  }
  bool receive(std::span<const std::byte> frame) { return card.receive({}, frame); }

  GuestMemory memory{1 << 20};
  FakeNetwork network;
  FakeAlarm alarm;
  ManualMonotonicClock clock;
  RecordingLine line;
  MmioBus mmio;
  PortBus ports;
  Card card{"e1000.0", station, memory, network, alarm, clock};
  std::uint32_t tail = 0;
  std::uint64_t next_buffer = buffers_at;
};

inline std::vector<std::byte> bytes_of(std::initializer_list<unsigned> values) {
  std::vector<std::byte> bytes;
  for (const unsigned value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

}  // namespace kvmbench::e1000::test
