/// The bounded queue between the vCPUs that produce serial output and the I/O thread that writes it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>

#include "devices/character_sink.hpp"

namespace kvmbench::hostio {

class OutputQueue final : public CharacterSink {
 public:
  static constexpr std::size_t capacity = 64 * 1024;
  /// What a put() does that finds the queue full.
  enum class WhenFull { wait, drop };

  /// `wake` tells the consumer that there is something to take; it is called again only after rest() was
  /// true.
  explicit OutputQueue(std::function<void()> wake);

  // Any thread.
  void put(std::uint8_t byte) noexcept override;
  /// From now on nobody waits for room, and what finds none is counted as lost.
  void close() noexcept;

  // The consumer, one thread.
  /// The oldest bytes, as far as they lie in one piece; they stay valid until taken.
  [[nodiscard]] std::span<const std::uint8_t> front() const noexcept;
  void take(std::size_t count) noexcept;
  /// True if the queue is empty: then the next put() wakes.
  [[nodiscard]] bool rest() noexcept;
  void when_full(WhenFull policy) noexcept;
  /// Nothing can be written any more: what is queued and all that follows is lost.
  void discard() noexcept;

  [[nodiscard]] std::size_t size() const noexcept;
  /// How often close() was called.
  [[nodiscard]] unsigned closes() const noexcept;
  /// Bytes that found no room after close(), or came after discard().
  [[nodiscard]] std::uint64_t lost() const noexcept;

 private:
  [[nodiscard]] bool wait_for_room(std::unique_lock<std::mutex>& lock) noexcept;

  std::function<void()> wake_;
  std::unique_ptr<std::uint8_t[]> ring_;
  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
  std::size_t waiting_ = 0;
  std::uint64_t lost_ = 0;
  unsigned closes_ = 0;
  WhenFull when_full_ = WhenFull::wait;
  bool awake_ = false;
  bool discarding_ = false;
};

}  // namespace kvmbench::hostio
