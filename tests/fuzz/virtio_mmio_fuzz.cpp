/// Whatever a driver writes to the registers of virtio over MMIO and into queues of either layout: the pieces
/// of a request lie in guest memory, a device that keeps requests gets rid of them at a reset, and the
/// interrupt line is where InterruptStatus says.
///
/// The input is a sequence of steps: one byte that says what, then its operands, little-endian.
#include <algorithm>
#include <array>
#include <vector>

#include "virtio_driver.hpp"

namespace {

using namespace kvmbench;
using namespace kvmbench::virtio;
using fuzz::Input;
using fuzz::require;

/// Queue 0 answers at once, by a copy; queue 1 keeps its requests, puts some back and answers later.
class CopyingDevice final : public VirtioDevice {
 public:
  explicit CopyingDevice(const GuestMemory& memory)
      : VirtioDevice("virtio-fuzz0", 42, memory, {16, 16}), memory_(memory.regions().front().bytes) {}

  [[nodiscard]] std::uint64_t features() const noexcept override { return 0xf; }
  [[nodiscard]] std::uint32_t config_size() const noexcept override { return sizeof config_; }
  void read_config(std::uint32_t offset, std::span<std::byte> to) noexcept override {
    require(offset + to.size() <= sizeof config_);
    std::copy_n(config_.begin() + offset, to.size(), to.begin());
  }
  void write_config(std::uint32_t offset, std::span<const std::byte> from) noexcept override {
    require(offset + from.size() <= sizeof config_);
    std::copy(from.begin(), from.end(), config_.begin() + offset);
    config_changed();
  }
  void start(std::uint64_t) override { require(held_.empty()); }
  void process(unsigned number) override {
    if (number == 0) {
      queue(0).drain(chain_, [this](Chain& chain) { answer(0, chain); });
    } else {
      while (held_.size() < 8 && queue(1).pop(chain_)) held_.push_back(std::move(chain_));
      static_cast<void>(queue(1).listen());
    }
  }
  void cancel() noexcept override {
    for (Chain& chain : held_) answer(1, chain);
    held_.clear();
  }
  void reset() noexcept override { require(held_.empty()); }

  /// What may happen between doorbells.
  void act(std::uint8_t choice) {
    if (choice % 4 == 0) {
      while (!held_.empty()) {
        queue(1).unpop(held_.back());
        held_.pop_back();
      }
    } else if (choice % 4 == 1) {
      for (Chain& chain : held_) queue(1).push(chain, 0);
      held_.clear();
      queue(1).signal();
    } else if (!held_.empty()) {
      const auto which = held_.begin() + static_cast<std::ptrdiff_t>(choice / 4 % held_.size());
      answer(1, *which);
      held_.erase(which);
    }
  }

 private:
  void answer(unsigned number, Chain& chain) {
    check(chain.readable);
    check(chain.writable);
    require(chain.readable.size() + std::uint64_t{chain.writable.size()} != 0);
    std::array<std::byte, 64> bytes{};
    const std::size_t read = chain.readable.read(1, bytes);
    require(read == std::min<std::size_t>(bytes.size(), std::max<std::size_t>(chain.readable.size(), 1) - 1));
    const std::size_t written = chain.writable.write(0, std::span(bytes).first(read));
    require(written == std::min<std::size_t>(read, chain.writable.size()));
    queue(number).complete(chain, static_cast<std::uint32_t>(written));
  }

  template <class Byte>
  void check(const Buffers<Byte>& buffers) const {
    std::uint64_t size = 0;
    for (const auto piece : buffers.pieces()) {
      require(!piece.empty() && piece.data() >= memory_.data() &&
              piece.data() + piece.size() <= memory_.data() + memory_.size());
      size += piece.size();
    }
    require(size == buffers.size());
  }

  std::span<const std::byte> memory_;
  std::array<std::byte, 6> config_{};
  Chain chain_;
  std::vector<Chain> held_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input({data, size});
  GuestMemory memory(fuzz::VirtioDriver::memory_size);
  CopyingDevice device(memory);
  fuzz::VirtioDriver driver(memory, device);
  while (!input.empty()) {
    const auto choice = input.take<std::uint8_t>();
    if (choice % 8 == 0) {
      device.act(choice / 8);
    } else {
      driver.step(input);
    }
  }
  driver.finish();
  return 0;
}
