#include "vmm/virtio_slot.hpp"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <system_error>

#include "base/blocked_signals.hpp"
#include "base/error.hpp"

namespace kvmbench {
namespace {

using virtio::MmioTransport;

/// What ring() adds to a doorbell. KVM adds 1 for each write of the guest's: the low half counts these.
constexpr std::uint64_t own_ring = std::uint64_t{1} << 32;

UniqueFd make_event() {
  UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) throw HostError::from_errno("eventfd");
  return event;
}

void add_to(const UniqueFd& event, std::uint64_t count) noexcept {
  // It fails only where 2^64 - 1 is reached, and then the reader is woken anyhow.
  [[maybe_unused]] const ssize_t written = ::write(event.get(), &count, sizeof count);
}

}  // namespace

VirtioSlot::VirtioSlot(const Vm& vm, const GuestMemory& memory, const VirtioAttachment& attachment, Gpa base)
    : options_(attachment.options),
      device_(attachment.make(memory)),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      stop_(make_event()),
      events_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!timer_) throw HostError::from_errno("timerfd_create");
  if (!events_) throw HostError::from_errno("epoll_create1");
  for (unsigned queue = 0; queue < device_->queues(); ++queue) {
    const UniqueFd& doorbell = doorbells_.emplace_back(make_event());
    watch(doorbell.get(), queue);
    if (options_.kick == VirtioOptions::Kick::ioeventfd) {
      vm.ring_on_write(doorbell.get(), base + MmioTransport::queue_notify, queue);
    }
  }
  watch(stop_.get(), device_->queues());
  watch(timer_.get(), device_->queues() + 1);
}

VirtioSlot::~VirtioSlot() {
  finish();
}

void VirtioSlot::watch(int fd, std::uint64_t number) const {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = number;
  if (::epoll_ctl(events_.get(), EPOLL_CTL_ADD, fd, &event) != 0) throw HostError::from_errno("epoll_ctl");
}

void VirtioSlot::start(InterruptLine& line) {
  virtio::Doorbell& doorbell = *this;
  transport_.emplace(*device_, line, doorbell, options_.ring);
  try {
    const BlockedSignals blocked;
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    throw HostError(device_->name() + ": cannot start its thread: " + error.what());
  }
}

void VirtioSlot::finish() noexcept {
  if (!thread_.joinable()) return;
  add_to(stop_, 1);
  thread_.join();
  transport_->shut_down();
}

void VirtioSlot::ring(unsigned queue) noexcept {
  add_to(doorbells_[queue], own_ring);
}

void VirtioSlot::look_later() noexcept {
  if (timer_armed_.exchange(true)) return;
  constexpr long nanoseconds_a_second = 1'000'000'000;
  // A time of 0 is over when this device's thread comes round; to timerfd it would mean never.
  const long timeout = std::max(options_.ring.coalescing.timeout.count(), 1l);
  itimerspec due{};
  due.it_value.tv_sec = timeout / nanoseconds_a_second;
  due.it_value.tv_nsec = timeout % nanoseconds_a_second;
  ::timerfd_settime(timer_.get(), 0, &due, nullptr);
}

void VirtioSlot::run() noexcept {
  ::pthread_setname_np(::pthread_self(), device_->name().substr(0, 15).c_str());
  const unsigned queues = device_->queues();
  std::array<epoll_event, 16> ready;
  for (;;) {
    const int count = ::epoll_wait(events_.get(), ready.data(), static_cast<int>(ready.size()), -1);
    bool stopping = false;
    for (int i = 0; i < count; ++i) {
      const std::uint64_t number = ready[static_cast<std::size_t>(i)].data.u64;
      if (number < queues) {
        serve(static_cast<unsigned>(number));
      } else if (number == queues) {
        stopping = true;
      } else {
        time_is_up();
      }
    }
    if (!stopping) continue;
    for (unsigned queue = 0; queue < queues; ++queue) {
      serve(queue);
      transport_->process(queue);  // also what was held back
    }
    return;
  }
}

void VirtioSlot::serve(unsigned queue) noexcept {
  std::uint64_t rings = 0;
  if (::read(doorbells_[queue].get(), &rings, sizeof rings) != sizeof rings) return;
  if (options_.kick == VirtioOptions::Kick::ioeventfd) transport_->doorbells(rings % own_ring);
  transport_->rung(queue);
}

void VirtioSlot::time_is_up() noexcept {
  std::uint64_t expirations = 0;
  if (::read(timer_.get(), &expirations, sizeof expirations) != sizeof expirations) return;
  timer_armed_ = false;
  transport_->time_is_up();
}

}  // namespace kvmbench
