/// One interrupt line that several devices drive: level-triggered, asserted while any of them asserts it.
#pragma once

#include <deque>
#include <mutex>

#include "devices/interrupt_line.hpp"

namespace kvmbench {

class SharedLine final {
 public:
  explicit SharedLine(InterruptLine& line) noexcept : line_(line) {}

  /// One more device's end of it. Only while the machine is built; the reference stays good.
  [[nodiscard]] InterruptLine& add_source() { return sources_.emplace_back(*this); }

 private:
  class Source final : public InterruptLine {
   public:
    explicit Source(SharedLine& shared) noexcept : shared_(shared) {}
    void set(bool asserted) noexcept override {
      const std::lock_guard lock(shared_.mutex_);
      if (asserted == asserted_) return;
      asserted_ = asserted;
      const unsigned before = shared_.asserted_;
      shared_.asserted_ += asserted ? 1u : ~0u;
      if ((before == 0) != (shared_.asserted_ == 0)) shared_.line_.set(asserted);
    }

   private:
    SharedLine& shared_;
    bool asserted_ = false;
  };

  InterruptLine& line_;
  std::deque<Source> sources_;
  std::mutex mutex_;  // held while the line is driven, so that changes arrive in order
  unsigned asserted_ = 0;
};

}  // namespace kvmbench
