/// Where a serial port's characters go on the host, and where they come from.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "devices/character_sink.hpp"

namespace kvmbench::hostio {

/// All I/O happens on the io_context's one thread; a vCPU only appends to a bounded queue. A backend always
/// waits for something, so that the io_context runs until it is stopped. SIGPIPE has to be ignored.
class SerialBackend {
 public:
  /// Offered characters from the host; returns how many the guest's port had room for. Called on the I/O
  /// thread.
  using Receive = std::function<std::size_t(std::span<const std::uint8_t>)>;

  /// `spec` is stdio, null, file:PATH, pty or unix:PATH. With stdio on a terminal it is put into raw mode
  /// until the backend is destroyed, and `Ctrl-a x` calls `leave` (`Ctrl-a Ctrl-a` sends one Ctrl-a). Throws
  /// UsageError for a spec that it does not know or a path that cannot be opened.
  static std::unique_ptr<SerialBackend> open(boost::asio::io_context& io, const std::string& spec,
                                             std::function<void()> leave);
  virtual ~SerialBackend() = default;

  /// The guest's output. Thread-safe; no allocation; a system call only to wake an I/O thread that sleeps.
  [[nodiscard]] virtual CharacterSink& sink() noexcept = 0;

  /// Begins to read from the host.
  virtual void start(Receive receive) = 0;
  /// The guest has room again. Any thread; no allocation.
  virtual void room() noexcept = 0;

  /// A stop was requested: no vCPU waits for a slow reader any more; output that finds no room is lost, and
  /// counted. A call while drain() runs, as on a second signal, ends it; so does stopping the io_context. Any
  /// thread.
  virtual void close() noexcept = 0;

  /// The guest has stopped: writes what is still queued, waiting for a slow reader; after close() no longer
  /// than two seconds for one that takes nothing. Says on stderr what could not be written, and why. On the
  /// I/O thread, after the io_context's run() has returned; it runs the io_context, so signals are still
  /// served.
  virtual void drain() = 0;
  /// What the user has to know to connect: "serial port at /dev/pts/3"; "" where there is nothing to say.
  [[nodiscard]] virtual std::string notice() const { return {}; }
};

}  // namespace kvmbench::hostio
