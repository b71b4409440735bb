/// Reads from a descriptor on the I/O thread and offers what it read to the guest's port until it is taken.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "hostio/doorbell.hpp"
#include "hostio/readiness.hpp"
#include "hostio/serial_backend.hpp"

namespace kvmbench::hostio {

class InputReader final {
 public:
  /// Bytes read and not yet taken by the guest. When it is full, nothing more is read.
  static constexpr std::size_t capacity = 64 * 1024;
  static constexpr std::size_t read_size = 4096;

  /// Writes to `to_guest`, which has room for one byte more than was `typed`, what the guest is to get;
  /// returns how much that is. With a filter, reading never stops, so that the user can always leave: then
  /// what the guest does not take, beyond the capacity, is dropped.
  using Filter =
      std::function<std::size_t(std::span<const std::uint8_t> typed, std::span<std::uint8_t> to_guest)>;

  /// `ended` is called when there will be no more to read, by an error or the end of the input; it may
  /// detach.
  InputReader(boost::asio::io_context& io, std::function<void()> ended);

  void attach(int fd, Filter filter = {});
  /// Bytes already read remain for the guest.
  void detach() noexcept;
  [[nodiscard]] bool attached() const noexcept { return readable_ != nullptr; }

  void start(SerialBackend::Receive receive);
  /// Any thread; a system call only if the guest has refused bytes since.
  void room() noexcept;

 private:
  void wait();
  void read();
  void append(std::span<const std::uint8_t> bytes);
  void offer();
  [[nodiscard]] std::size_t pending() const noexcept { return pending_.size() - taken_; }

  boost::asio::io_context& io_;
  std::function<void()> ended_;
  std::atomic<bool> refused_ = false;
  Doorbell bell_;
  SerialBackend::Receive receive_;
  std::vector<std::uint8_t> pending_;
  std::size_t taken_ = 0;  // of pending_, from its beginning
  int fd_ = -1;
  Filter filter_;
  std::unique_ptr<Readiness> readable_;
};

}  // namespace kvmbench::hostio
