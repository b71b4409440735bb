/// A card whose sides all move at once. The ThreadSanitizer build is what proves the absence of races; the
/// properties below hold in any build.
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "fixture.hpp"

using namespace kvmbench;
using namespace kvmbench::e1000;
using namespace kvmbench::e1000::test;

namespace {

/// Takes every frame, and counts.
struct CountingNetwork final : NetworkBackend {
  bool send(const OutgoingFrame& frame) noexcept override {
    ++frames;
    bytes += frame.size();
    return true;
  }
  void room() noexcept override {}
  [[nodiscard]] NetworkOffloads offloads() const noexcept override { return {}; }
  void accept_offloads(const NetworkOffloads&) noexcept override {}
  [[nodiscard]] bool link_up() const noexcept override { return up; }
  [[nodiscard]] std::uint16_t mtu() const noexcept override { return 0; }
  void start(FrameReceiver&) override {}
  void stop() noexcept override {}

  std::atomic<std::uint64_t> frames{0}, bytes{0};
  std::atomic<bool> up{true};
};

struct AtomicLine final : InterruptLine {
  void set(bool asserted) noexcept override { level = asserted; }
  std::atomic<bool> level{false};
};

struct AtomicAlarm final : Alarm {
  void set(std::uint64_t) noexcept override { ++sets; }
  std::atomic<unsigned> sets{0};
};

}  // namespace

TEST_CASE("frames, resets, moves of its addresses and alarms may come at the same time", "[e1000]") {
  GuestMemory memory(1 << 20);
  CountingNetwork network;
  AtomicAlarm alarm;
  AtomicLine line;
  HostMonotonicClock clock;
  MmioBus mmio;
  PortBus ports;
  Card card("e1000.0", station, memory, network, alarm, clock);
  card.add_bars(mmio, ports);
  card.pci().connect(1, line);
  card.pci().write_config(0x10, 0xc0000000, 0xffffffff);
  card.pci().write_config(0x04, 7, 0xffff);
  const auto set = [&](std::uint32_t offset, std::uint32_t value) { card.write(offset, 4, value); };

  // What the guest's memory holds does not change meanwhile: the guest itself is in no thread here.
  for (std::uint32_t i = 0; i < 64; ++i) {
    REQUIRE(memory.store(Gpa{0x2000 + i * 16}, std::uint64_t{0x10000}));
    REQUIRE(memory.store(Gpa{0x2000 + i * 16 + 8}, std::uint64_t{60 | eop}));
    REQUIRE(memory.store(Gpa{0x1000 + i * 16}, std::uint64_t{0x20000 + i * 2048}));
  }

  std::atomic<bool> done{false};
  std::thread backend([&] {
    const std::vector<std::byte> frame = frame_to(to_station, 500);
    unsigned count = 0;
    while (!done) {
      static_cast<void>(card.receive({}, frame));
      if (++count % 64 == 0) {
        network.up = !network.up;
        card.link_changed();
      }
    }
  });
  std::thread worker([&] {
    while (!done) card.alarm();
  });
  std::thread mover([&] {
    std::uint32_t at = 0;
    while (!done) {
      card.pci().write_config(0x10, 0xc0000000 + (at++ % 4) * 0x20000, 0xffffffff);
      card.pci().write_config(0x04, at % 3 == 0 ? 3u : 7u, 0xffff);
      static_cast<void>(card.operations());
    }
  });
  for (unsigned round = 0; round < 300; ++round) {
    set(reg::rdbal, 0x1000);
    set(reg::rdlen, 64 * 16);
    set(reg::rdt, 63);
    set(reg::ims, 0xffffffff);
    set(reg::itr, round % 2 == 0 ? 0 : 50);
    set(reg::rctl, rctl_en | rctl_bam);
    set(reg::tdbal, 0x2000);
    set(reg::tdlen, 64 * 16);
    set(reg::tctl, 2);
    for (std::uint32_t i = 1; i < 64; i += 7) {
      set(reg::tdt, i);
      const BusTarget target = mmio.find(0xc0000000 + (i % 4) * 0x20000 + reg::icr);
      if (target.device != nullptr) static_cast<void>(target.device->read(target.offset, 4));
      set(reg::rdt, i);
    }
    set(reg::ctrl, ctrl_rst);
  }
  done = true;
  backend.join();
  worker.join();
  mover.join();
  set(reg::ctrl, ctrl_rst);
  CHECK_FALSE(line.level);
  CHECK(network.bytes == network.frames * 60);
}
