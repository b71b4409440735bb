#include "devices/e1000/interrupts.hpp"

#include <algorithm>
#include <utility>

namespace kvmbench::e1000 {

namespace {

constexpr std::uint64_t throttle_unit = 256;  // ns
constexpr std::uint64_t delay_unit = 1024;    // ns

bool is_due(const std::optional<std::uint64_t>& deadline, std::uint64_t now) noexcept {
  return deadline && *deadline <= now;
}

void make_earlier(std::optional<std::uint64_t>& earliest,
                  const std::optional<std::uint64_t>& other) noexcept {
  if (other && (!earliest || *other < *earliest)) earliest = other;
}

}  // namespace

void DelayTimers::event(std::uint64_t now) noexcept {
  if (!deadline_) latest_ = absolute_ != 0 ? now + absolute_ * delay_unit : ~std::uint64_t{0};
  deadline_ = std::min(now + packet_ * delay_unit, latest_);
}

void Interrupts::transmitted(bool delayed) noexcept {
  if (delayed && transmit_.used()) {
    transmit_.event(clock_.nanoseconds());
    return;
  }
  raise(cause::txdw);
  transmit_.cancel();  // an immediate interrupt tells of those that wait, too (3.4.3)
}

void Interrupts::received(bool small) noexcept {
  if (small) raise(cause::srpd);
  if (receive_.used()) {
    receive_.event(clock_.nanoseconds());
  } else {
    raise(cause::rxt0);
  }
}

std::uint32_t Interrupts::read_icr() noexcept {
  return std::exchange(causes_, 0);
}

void Interrupts::flush_receive() noexcept {
  if (!receive_.deadline()) return;
  receive_.cancel();
  raise(cause::rxt0);
}

void Interrupts::flush_transmit() noexcept {
  if (!transmit_.deadline()) return;
  transmit_.cancel();
  raise(cause::txdw);
}

std::optional<std::uint64_t> Interrupts::apply() noexcept {
  std::optional<std::uint64_t> again;
  if (receive_.deadline() || transmit_.deadline()) {
    const std::uint64_t now = clock_.nanoseconds();
    if (is_due(receive_.deadline(), now)) flush_receive();
    if (is_due(transmit_.deadline(), now)) flush_transmit();
    make_earlier(again, receive_.deadline());
    make_earlier(again, transmit_.deadline());
  }
  const bool wanted = (causes_ & mask_) != 0;
  if (wanted == asserted_) return again;
  if (wanted && interval_ != 0) {
    const std::uint64_t now = clock_.nanoseconds();
    if (last_assertion_ && now < *last_assertion_ + interval_ * throttle_unit) {
      make_earlier(again, *last_assertion_ + interval_ * throttle_unit);
      return again;
    }
    last_assertion_ = now;
  }
  asserted_ = wanted;
  if (wanted) ++count_;
  line_.set(wanted);
  return again;
}

void Interrupts::reset() noexcept {
  causes_ = 0;
  mask_ = 0;
  interval_ = 0;
  receive_ = {};
  transmit_ = {};
  last_assertion_.reset();
}

}  // namespace kvmbench::e1000
