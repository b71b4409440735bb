/// The pages that KVM's dirty log names, asked for again and again (KVM_GET_DIRTY_LOG).
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <vector>

#include "vmm/memory_guard.hpp"
#include "vmm/vm.hpp"

namespace kvmbench {

class DirtyBitmap final {
 public:
  /// All must outlive it; `io` must not run any more when this is destroyed.
  DirtyBitmap(boost::asio::io_context& io, const Vm& vm, MemoryGuard& guard);

  /// Asks every `period` from now on, on the thread of `io`.
  void start(std::chrono::nanoseconds period);
  /// Asks now: while `io` does not run, or on its thread.
  void take_modified() noexcept;

 private:
  void wait();

  const Vm& vm_;
  MemoryGuard& guard_;
  boost::asio::steady_timer timer_;
  std::chrono::nanoseconds period_{0};
  struct Slot {
    std::uint32_t number;
    std::size_t range;
    std::uint64_t start;
    std::uint64_t pages;
    std::vector<std::uint64_t> bits;
  };
  std::vector<Slot> slots_;
};

}  // namespace kvmbench
