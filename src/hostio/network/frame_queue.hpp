/// The bounded queue of frames between the threads that send them and the one that answers.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>

#include "devices/network_backend.hpp"

namespace kvmbench::hostio {

class FrameQueue final {
 public:
  /// Bytes, with 8 and what alignment takes for each frame.
  static constexpr std::size_t capacity = std::size_t{1} << 20;

  FrameQueue();

  /// What became of a frame: `queued_first` asks for the consumer to be woken, which found the queue empty.
  enum class Push { dropped, queued, queued_first };
  /// Any thread. A frame of 1 to max_frame_size bytes.
  [[nodiscard]] Push push(const OutgoingFrame& frame) noexcept;

  // The consumer, one thread.
  /// The oldest frame, which the consumer may change; empty where there is none, and then the next push()
  /// asks for it to be woken. Valid until pop().
  [[nodiscard]] std::span<std::byte> front() noexcept;
  /// Of a queue that is not empty.
  void pop() noexcept;

 private:
  /// Before each frame; and, with a size of zero, where the frames go on at the beginning.
  struct Record {
    std::size_t size;
  };

  [[nodiscard]] static std::size_t space_for(std::size_t size) noexcept;
  [[nodiscard]] std::byte* place(std::size_t size) noexcept;
  void put_record(std::size_t at, std::size_t size) noexcept;
  [[nodiscard]] std::size_t record_at(std::size_t at) const noexcept;

  std::unique_ptr<std::byte[]> ring_;
  std::mutex mutex_;
  std::size_t head_ = 0;  // of the oldest frame's record
  std::size_t tail_ = 0;  // behind the youngest frame
  std::size_t count_ = 0;
  bool awake_ = false;
};

}  // namespace kvmbench::hostio
