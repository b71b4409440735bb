#include "vmm/raising_thread.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <system_error>

#include "base/blocked_signals.hpp"
#include "base/error.hpp"
#include "base/tsc.hpp"

namespace kvmbench {
namespace {

using namespace std::chrono_literals;

// The guest is waited for as closely as its latency is measured, then more and more patiently: it may have
// this very CPU to run on, or be stopped.
constexpr auto spinning = 200us;
constexpr auto yielding = 20ms;
constexpr auto nap = 100us;
// So long an interrupt that was not lost is handled in, on hosts that emulate the guest's CPU too.
constexpr auto patience = 1s;
constexpr unsigned repeats_max = 3;

kvmbench_irq_page& page_of(const InterruptRequest& request) noexcept {
  return *reinterpret_cast<kvmbench_irq_page*>(request.page.data());
}

// The guest reads meanwhile, and may write anything.
void store(std::uint64_t& field, std::uint64_t value) noexcept {
  std::atomic_ref(field).store(value, std::memory_order_release);
}

std::uint64_t load(std::uint64_t& field) noexcept {
  return std::atomic_ref(field).load(std::memory_order_acquire);
}

}  // namespace

void RaisingThread::start(TscRelation tsc) {
  tsc_ = tsc;
  try {
    const BlockedSignals blocked;
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    throw HostError(fmt::format("interrupt-source: cannot start its thread: {}", error.what()));
  }
}

void RaisingThread::finish() noexcept {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
    ended_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

bool RaisingThread::begin(const InterruptRequest& request) noexcept {
  const std::lock_guard lock(mutex_);
  if (busy_ || finishing_) return false;
  if (!ways_.prepare(request)) return false;
  // Here and not on the thread, so that the guest finds it as soon as it has asked.
  kvmbench_irq_page& page = page_of(request);
  for (std::uint64_t* field :
       {&page.raised, &page.raised_at, &page.raise_cycles, &page.round_trip, &page.repeats, &page.handled}) {
    store(*field, 0);
  }
  store(page.tsc_offset, tsc_.offset);
  store(page.tsc_uncertainty, tsc_.uncertainty);
  request_ = request;
  pending_ = busy_ = true;
  ended_ = gave_up_ = false;
  wake_.notify_one();
  return true;
}

void RaisingThread::end() noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (!busy_) return;
    ended_ = true;
  }
  wake_.notify_one();
}

void RaisingThread::run() noexcept {
  ::pthread_setname_np(::pthread_self(), "irq-source");
  for (;;) {
    InterruptRequest request;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return pending_ || finishing_; });
      if (finishing_) return;
      request = request_;
      pending_ = false;
    }
    serve(request);
    busy_ = false;
  }
}

void RaisingThread::serve(const InterruptRequest& request) noexcept {
  kvmbench_irq_page& page = page_of(request);
  for (std::uint64_t number = 1; number <= request.count; ++number) {
    pause_for(std::chrono::microseconds(request.gap));
    if (ended()) return;
    const std::uint64_t at = read_tsc();
    store(page.raised_at, at);
    store(page.raised, number);
    ways_.raise(request);
    const std::uint64_t raised = read_tsc();
    if (!wait_until_handled(request, number)) return;
    const std::uint64_t seen = read_tsc();
    store(page.raise_cycles, raised - at);
    store(page.round_trip, seen - at);
    handled_.fetch_add(1, std::memory_order_relaxed);
  }
}

void RaisingThread::pause_for(std::chrono::microseconds gap) noexcept {
  if (gap == 0us) return;
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, gap, [this] { return ended(); });
}

bool RaisingThread::wait_until_handled(const InterruptRequest& request, std::uint64_t number) noexcept {
  kvmbench_irq_page& page = page_of(request);
  auto began = Clock::now();
  unsigned repeats = 0;
  while (load(page.handled) < number) {
    if (ended()) return false;
    const auto waited = Clock::now() - began;
    if (waited > patience) {
      if (repeats == repeats_max) {
        gave_up_ = true;
        return false;
      }
      ++repeats;
      store(page.repeats, load(page.repeats) + 1);
      ways_.raise(request);
      began = Clock::now();
    } else if (waited > yielding) {
      std::this_thread::sleep_for(nap);
    } else if (waited > spinning) {
      std::this_thread::yield();
    }
  }
  return true;
}

}  // namespace kvmbench
