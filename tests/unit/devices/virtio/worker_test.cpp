// A driver, the device's thread, completions from others and resets at once. The ThreadSanitizer build is
// what proves the absence of races; that every request is answered once holds in any build.
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <deque>
#include <thread>

#include "../fakes.hpp"
#include "devices/virtio/ring_memory.hpp"
#include "driver.hpp"
#include "fixture.hpp"

using namespace kvmbench;
using namespace kvmbench::test;
using namespace kvmbench::virtio;

namespace {

class AtomicLine final : public InterruptLine {
 public:
  void set(bool asserted) noexcept override { level = asserted; }
  std::atomic<bool> level{false};
};

/// Wakes a thread that serves the queue, as an eventfd does.
class WakingDoorbell final : public Doorbell {
 public:
  void ring(unsigned) noexcept override {
    const std::lock_guard lock(mutex_);
    rung_ = true;
    wake_.notify_one();
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    wake_.notify_one();
  }
  /// False when stopped.
  [[nodiscard]] bool wait() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return rung_ || stopped_; });
    rung_ = false;
    return !stopped_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool rung_ = false;
  bool stopped_ = false;
};

/// Hands each request to a thread that answers it later.
class SlowDevice final : public VirtioDevice {
 public:
  explicit SlowDevice(const GuestMemory& memory) : VirtioDevice("virtio-slow0", 42, memory, {64}) {}
  ~SlowDevice() override {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    wake_.notify_one();
    completer_.join();
  }
  void start(std::uint64_t) override {
    const std::lock_guard lock(mutex_);
    REQUIRE(pending_.empty());
  }
  void process(unsigned number) override {
    queue(number).drain(chain_, [this](Chain& chain) {
      const std::lock_guard lock(mutex_);
      pending_.push_back(std::move(chain));
      wake_.notify_one();
    });
  }
  void reset() noexcept override { ++resets; }

  std::atomic<unsigned> resets{0};

 private:
  void complete_all() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return stopped_ || !pending_.empty(); });
      if (pending_.empty()) return;
      Chain chain = std::move(pending_.front());
      pending_.pop_front();
      lock.unlock();
      const auto number = chain.readable.load<std::uint32_t>(0).value_or(0);
      const bool written = chain.writable.store(0, ~number);
      queue(0).complete(chain, written ? sizeof number : 0);
      lock.lock();
    }
  }

  Chain chain_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Chain> pending_;
  bool stopped_ = false;
  std::thread completer_{[this] { complete_all(); }};
};

/// A driver of a split queue of 64 with two descriptors a request, whose fields that both sides use are
/// atomic.
class AtomicDriver final {
 public:
  static constexpr std::uint16_t size = 64, slots = 32;

  AtomicDriver(GuestMemory& memory, DriverQueue& queue) : memory_(memory), queue_(queue) {
    for (std::uint16_t slot = 0; slot < slots; ++slot) {
      queue_.store(queue_.descriptors() + 32u * slot, vring_desc{number_at(slot).value, 4, VRING_DESC_F_NEXT,
                                                                 static_cast<std::uint16_t>(2 * slot + 1)});
      queue_.store(queue_.descriptors() + 32u * slot + 16,
                   vring_desc{answer_at(slot).value, 4, VRING_DESC_F_WRITE, 0});
      free_.push_back(slot);
    }
  }

  [[nodiscard]] bool full() const { return free_.empty(); }
  [[nodiscard]] bool idle() const { return free_.size() == slots; }
  /// Returns whether the device wants a doorbell.
  bool add(std::uint32_t number) {
    const std::uint16_t slot = free_.back();
    free_.pop_back();
    queue_.store(number_at(slot), number);
    queue_.store(queue_.driver_area() + 4 + 2u * (available_ % size), static_cast<std::uint16_t>(2 * slot));
    store_field(at(queue_.driver_area() + 2), ++available_, std::memory_order_seq_cst);
    return (load_field(at(queue_.device_area()), std::memory_order_seq_cst) & VRING_USED_F_NO_NOTIFY) == 0;
  }
  /// How many answers came, each checked.
  unsigned take() {
    unsigned taken = 0;
    while (load_field(at(queue_.device_area() + 2), std::memory_order_seq_cst) != used_) {
      const auto element = queue_.load<vring_used_elem>(queue_.device_area() + 4 + 8u * (used_ % size));
      ++used_;
      ++taken;
      const auto slot = static_cast<std::uint16_t>(element.id / 2);
      if (element.len != 4 ||
          queue_.load<std::uint32_t>(answer_at(slot)) != ~queue_.load<std::uint32_t>(number_at(slot))) {
        ++wrong;
      }
      free_.push_back(slot);
    }
    return taken;
  }

  unsigned wrong = 0;

 private:
  [[nodiscard]] std::byte* at(Gpa gpa) const { return memory_.range(gpa, 2).data(); }
  [[nodiscard]] static Gpa number_at(std::uint16_t slot) { return Gpa{0x40'0000 + 16u * slot}; }
  [[nodiscard]] static Gpa answer_at(std::uint16_t slot) { return Gpa{0x40'0000 + 16u * slot + 8}; }

  GuestMemory& memory_;
  DriverQueue& queue_;
  std::vector<std::uint16_t> free_;
  std::uint16_t available_ = 0;
  std::uint16_t used_ = 0;
};

struct SlowMachine {
  ~SlowMachine() {
    doorbell.stop();
    server.join();
  }

  GuestMemory memory{8 << 20};
  AtomicLine line;
  WakingDoorbell doorbell;
  SlowDevice device{memory};
  MmioTransport transport{device, line, doorbell};
  TestDriver driver{transport, memory};
  std::thread server{[this] {
    while (doorbell.wait()) transport.process(0);
  }};
};

}  // namespace

TEST_CASE("requests that are served by other threads are each answered once", "[virtqueue-threads]") {
  constexpr std::uint32_t requests = 20'000;
  SlowMachine machine;
  REQUIRE(machine.driver.negotiate());
  AtomicDriver driver(machine.memory, machine.driver.set_up_queue(0, AtomicDriver::size));
  machine.driver.driver_ok();
  std::uint32_t added = 0, answered = 0;
  while (answered < requests) {
    bool ring = false;
    while (added < requests && !driver.full()) ring |= driver.add(added++);
    if (ring) machine.driver.notify(0);
    const unsigned taken = driver.take();
    answered += taken;
    if (taken == 0) std::this_thread::yield();
    if (machine.line.level) machine.driver.write(VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING);
  }
  CHECK(answered == requests);
  CHECK(driver.wrong == 0);
  CHECK(driver.idle());
  CHECK(machine.device.queue(0).completed() == requests);
}

TEST_CASE("a reset in the middle leaves nothing behind", "[virtqueue-threads]") {
  constexpr unsigned resets = 200;
  SlowMachine machine;
  std::uint32_t number = 0;
  for (unsigned i = 1; i <= resets; ++i) {
    REQUIRE(machine.driver.negotiate());
    AtomicDriver driver(machine.memory, machine.driver.set_up_queue(0, AtomicDriver::size));
    machine.driver.driver_ok();
    while (!driver.full()) driver.add(++number);
    machine.driver.notify(0);
    for (unsigned taken = 0; taken < i % AtomicDriver::slots;) taken += driver.take();
    machine.driver.write(VIRTIO_MMIO_STATUS, 0);
    // From here on the memory is the driver's own again.
    CHECK(machine.driver.status() == 0);
    driver.take();
    CHECK(driver.wrong == 0);
    CHECK_FALSE(machine.line.level);
    CHECK(machine.device.resets == i);
  }
}

TEST_CASE("another CPU's reset of the same device waits for nobody", "[virtqueue-threads]") {
  SlowMachine machine;
  REQUIRE(machine.driver.negotiate());
  AtomicDriver driver(machine.memory, machine.driver.set_up_queue(0, AtomicDriver::size));
  machine.driver.driver_ok();
  while (!driver.full()) driver.add(7);
  machine.driver.notify(0);
  std::vector<std::thread> cpus;
  for (int cpu = 0; cpu < 3; ++cpu) {
    cpus.emplace_back([&machine] {
      for (int i = 0; i < 100; ++i) {
        machine.transport.write(VIRTIO_MMIO_STATUS, 4, 0);
        static_cast<void>(machine.transport.read(VIRTIO_MMIO_STATUS, 4));
        machine.transport.write(VIRTIO_MMIO_QUEUE_NOTIFY, 4, 0);
        machine.transport.write(VIRTIO_MMIO_INTERRUPT_ACK, 4, 3);
      }
    });
  }
  for (std::thread& cpu : cpus) cpu.join();
  CHECK(machine.driver.status() == 0);
  CHECK(machine.device.resets == 1);
}
