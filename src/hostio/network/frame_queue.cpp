#include "hostio/network/frame_queue.hpp"

#include <cstring>

namespace kvmbench::hostio {

FrameQueue::FrameQueue() : ring_(std::make_unique_for_overwrite<std::byte[]>(capacity)) {}

FrameQueue::Push FrameQueue::push(const OutgoingFrame& frame) noexcept {
  const std::size_t size = frame.size();
  const std::lock_guard lock(mutex_);
  std::byte* const bytes = place(size);
  if (bytes == nullptr) return Push::dropped;
  static_cast<void>(copy_frame(frame, {bytes, size}));
  ++count_;
  if (awake_) return Push::queued;
  awake_ = true;
  return Push::queued_first;
}

std::span<std::byte> FrameQueue::front() noexcept {
  const std::lock_guard lock(mutex_);
  if (count_ == 0) {
    awake_ = false;
    return {};
  }
  if (capacity - head_ < sizeof(Record) || record_at(head_) == 0) head_ = 0;
  return {ring_.get() + head_ + sizeof(Record), record_at(head_)};
}

void FrameQueue::pop() noexcept {
  const std::lock_guard lock(mutex_);
  head_ += space_for(record_at(head_));
  --count_;
}

std::size_t FrameQueue::space_for(std::size_t size) noexcept {
  constexpr std::size_t unit = sizeof(Record);
  return unit + (size + unit - 1) / unit * unit;
}

/// Room for a frame in one piece, its record written; null where there is none.
std::byte* FrameQueue::place(std::size_t size) noexcept {
  const std::size_t space = space_for(size);
  if (count_ == 0) {
    head_ = 0;
    tail_ = 0;
  }
  const bool wrapped = count_ != 0 && tail_ <= head_;
  if (space > (wrapped ? head_ : capacity) - tail_) {
    if (wrapped || space > head_) return nullptr;
    if (capacity - tail_ >= sizeof(Record)) put_record(tail_, 0);
    tail_ = 0;
  }
  put_record(tail_, size);
  std::byte* const bytes = ring_.get() + tail_ + sizeof(Record);
  tail_ += space;
  return bytes;
}

void FrameQueue::put_record(std::size_t at, std::size_t size) noexcept {
  const Record record{size};
  std::memcpy(ring_.get() + at, &record, sizeof record);
}

std::size_t FrameQueue::record_at(std::size_t at) const noexcept {
  Record record{};
  std::memcpy(&record, ring_.get() + at, sizeof record);
  return record.size;
}

}  // namespace kvmbench::hostio
