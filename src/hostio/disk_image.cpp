#include "hostio/disk_image.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <cstring>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>

#include "base/blocked_signals.hpp"
#include "base/error.hpp"

namespace kvmbench::hostio {
namespace {

std::string_view verb(BlockRequest::Kind kind) {
  static constexpr std::array<std::string_view, 5> verbs = {"read", "write", "flush", "discard",
                                                            "write zeroes to"};
  return verbs[static_cast<std::size_t>(kind)];
}

}  // namespace

DiskImage::DiskImage(std::string name, const std::string& path, bool read_only, DiskCache cache)
    : name_(std::move(name)), path_(path), file_(path, read_only, cache) {
  ios_.reserve(threads);
  for (unsigned i = 0; i < threads; ++i) ios_.emplace_back(file_, writers_, file_.alignment());
  start_threads();
}

DiskImage::~DiskImage() {
  stop_threads();
}

void DiskImage::start_threads() {
  std::optional<std::string> failure;
  try {
    const BlockedSignals blocked;
    for (DiskIo& io : ios_) threads_.emplace_back([this, &io] { work(io); });
  } catch (const std::exception& error) {
    failure = error.what();
  }
  if (!failure) return;
  stop_threads();
  throw HostError(fmt::format("cannot start the {} threads of {}: {}", threads, name_, *failure));
}

void DiskImage::stop_threads() noexcept {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void DiskImage::submit(BlockRequest& request) noexcept {
  request.next = nullptr;
  const std::lock_guard lock(mutex_);
  (first_ == nullptr ? first_ : last_->next) = &request;
  last_ = &request;
  ++outstanding_;
  wake_one();
}

bool DiskImage::serve_at_once(BlockRequest& request) noexcept {
  return ios_.front().transfer_cached(request);
}

void DiskImage::drain() noexcept {
  std::unique_lock lock(mutex_);
  drained_.wait(lock, [this] { return outstanding_ == 0; });
}

void DiskImage::wake_one() noexcept {
  if (looking_ > 0 || idle_ == called_) return;
  ++looking_;
  ++called_;
  wake_.notify_one();
}

BlockRequest* DiskImage::pop() noexcept {
  BlockRequest* const request = first_;
  if (request != nullptr) first_ = std::exchange(request->next, nullptr);
  return request;
}

void DiskImage::work(DiskIo& io) noexcept {
  ::pthread_setname_np(::pthread_self(), name_.substr(0, 15).c_str());
  std::unique_lock lock(mutex_);
  ++looking_;
  while (true) {
    if (BlockRequest* const request = pop()) {
      lock.unlock();
      serve(io, *request);
      lock.lock();
      if (--outstanding_ == 0) drained_.notify_all();
      continue;
    }
    --looking_;
    if (stopping_) return;
    ++idle_;
    wake_.wait(lock, [this] { return called_ > 0 || stopping_; });
    --idle_;
    if (called_ > 0) {
      --called_;  // and wake_one() has counted it as looking
    } else {
      ++looking_;
    }
  }
}

void DiskImage::serve(DiskIo& io, BlockRequest& request) noexcept {
  bool succeeded = io.transfer_cached(request);
  if (!succeeded) {
    const Failure attempt{request.kind, request.offset, request.length, 0};
    {
      const std::lock_guard lock(mutex_);
      --looking_;
      if (first_ != nullptr) wake_one();
    }
    const int error = io.perform(request);
    const std::lock_guard lock(mutex_);
    ++looking_;
    succeeded = error == 0;
    if (!succeeded && failures_++ == 0) {
      first_failure_ = attempt;
      first_failure_.error = error;
    }
  }
  request.requester->completed(request, succeeded);
}

std::string DiskImage::trouble() const {
  const std::lock_guard lock(mutex_);
  if (failures_ == 0) return {};
  const Failure& first = first_failure_;
  const std::string place = first.kind == BlockRequest::Kind::flush
                                ? std::string()
                                : fmt::format(" {} bytes at byte {} of", first.length, first.offset);
  return fmt::format(
      "{}: {} request{} failed, which the guest saw as device errors; the first: cannot {}{} '{}': {}", name_,
      failures_, failures_ == 1 ? "" : "s", verb(first.kind), place, path_, std::strerror(first.error));
}

}  // namespace kvmbench::hostio
