/// What is behind the interrupt source's registers: a thread that raises interrupts one after the other.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "devices/interrupt_source.hpp"
#include "vmm/interrupt_ways.hpp"
#include "vmm/vcpu.hpp"

namespace kvmbench {

class RaisingThread final : public InterruptRaiser {
 public:
  explicit RaisingThread(InterruptWays& ways) noexcept : ways_(ways) {}
  RaisingThread(const RaisingThread&) = delete;
  RaisingThread& operator=(const RaisingThread&) = delete;
  ~RaisingThread() override { finish(); }

  /// Before the guest runs: `tsc` is what the shared page will say. Once. Throws HostError.
  void start(TscRelation tsc);
  /// Ends what is under way, and the thread. Again: nothing.
  void finish() noexcept;

  [[nodiscard]] std::uint32_t ways() const noexcept override { return ways_.ways(); }
  bool begin(const InterruptRequest& request) noexcept override;
  void end() noexcept override;
  void deassert() noexcept override { ways_.lower(); }
  [[nodiscard]] bool busy() const noexcept override { return busy_.load(); }
  [[nodiscard]] bool gave_up() const noexcept override { return gave_up_.load(); }
  [[nodiscard]] std::uint64_t handled() const noexcept override { return handled_.load(); }

 private:
  using Clock = std::chrono::steady_clock;

  void run() noexcept;
  void serve(const InterruptRequest& request) noexcept;
  void pause_for(std::chrono::microseconds gap) noexcept;
  /// False where the guest has not handled it, even though it was repeated, or the request was ended.
  [[nodiscard]] bool wait_until_handled(const InterruptRequest& request, std::uint64_t number) noexcept;
  [[nodiscard]] bool ended() const noexcept { return ended_.load(std::memory_order_relaxed); }

  InterruptWays& ways_;
  TscRelation tsc_;

  std::mutex mutex_;  // held for copies only
  std::condition_variable wake_;
  InterruptRequest request_;
  bool pending_ = false;
  bool finishing_ = false;
  std::atomic<bool> ended_{false};
  std::atomic<bool> busy_{false};
  std::atomic<bool> gave_up_{false};
  std::atomic<std::uint64_t> handled_{0};
  std::thread thread_;
};

}  // namespace kvmbench
