/// The host's side of a run: where its characters go, and what can end it from outside.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "cli/run.hpp"
#include "devices/virtio/console_device.hpp"
#include "hostio/serial_backend.hpp"
#include "live/console_pane.hpp"
#include "vmm/machine.hpp"

namespace kvmbench::cli {

/// A time that an option gave in seconds.
[[nodiscard]] std::chrono::nanoseconds to_duration(double seconds);

/// A port's receiver and the host's side of it, each telling the other when there is something to do.
class PortLink final : public ReceiveReady {
 public:
  /// `receive` offers characters to `port`, which is to tell this object when it has room again.
  PortLink(std::string_view port, hostio::SerialBackend& backend, hostio::SerialBackend::Receive receive);
  void receive_ready() noexcept override { backend_.room(); }

 private:
  hostio::SerialBackend& backend_;
};

/// The host sides of the two serial ports and of the virtio-console, and what else can end a run from
/// outside.
///
/// Where the first serial port and the virtio-console both go to stdio they share it: the output of both is
/// seen, the kernel's first words by the serial port among it; what is typed goes to the virtio-console while
/// a driver runs it, else to the serial port.
class HostSide final {
 public:
  /// Opens them as the options say; with --live what would go to the terminal goes to a pane. Throws
  /// UsageError, HostError.
  HostSide(boost::asio::io_context& io, const RunOptions& options);
  HostSide(const HostSide&) = delete;
  HostSide& operator=(const HostSide&) = delete;

  /// The user wants the run to end.
  void leave() { stop({Ending::Kind::left, 0, {}}); }

  /// The guest's output, where a live view shows it.
  [[nodiscard]] const live::ConsolePane* pane() const noexcept { return pane_; }

  [[nodiscard]] PlatformHost platform() {
    return {.serial = {&serial0_->sink(), &serial1_->sink()}, .debug_console = &serial0_->sink()};
  }

  /// Of the virtio-console.
  [[nodiscard]] CharacterSink& console_sink() { return console_ ? console_->sink() : serial0_->sink(); }

  /// `timeout` in seconds, 0 for none; `console` is null where there is no virtio-console.
  void connect(Machine& machine, virtio::ConsoleDevice* console, double timeout);

  /// The machine has stopped: what the guest has sent still goes out.
  void drain() {
    timer_.cancel();
    for_backends([](hostio::SerialBackend& backend) { backend.drain(); });
  }

  /// No vCPU waits any more for a reader that takes nothing.
  void close() {
    for_backends([](hostio::SerialBackend& backend) { backend.close(); });
  }

 private:
  template <class Use>
  void for_backends(const Use& use) {
    for (const auto* backend : {&serial0_, &serial1_, &console_}) {
      if (*backend) use(**backend);
    }
  }

  /// `sharing` has the same backend, and goes before; null where there is none.
  static void connect_uart(std::optional<PortLink>& link, Uart16550& uart, hostio::SerialBackend& backend,
                           virtio::ConsoleDevice* sharing);

  void connect_console(virtio::ConsoleDevice& console);
  void wait_for_resize(virtio::ConsoleDevice& console);

  /// A live view has the terminal: what would go there goes to its pane.
  std::unique_ptr<hostio::SerialBackend> open_backend(boost::asio::io_context& io, const std::string& spec,
                                                      bool live);

  void wait_for_signal();
  void stop(const Ending& ending);

  Machine* machine_ = nullptr;
  const live::ConsolePane* pane_ = nullptr;  // of serial0_ or serial1_
  std::unique_ptr<hostio::SerialBackend> serial0_;
  std::unique_ptr<hostio::SerialBackend> serial1_;
  std::unique_ptr<hostio::SerialBackend> console_;  // null where there is none of its own
  std::optional<PortLink> link0_;
  std::optional<PortLink> link1_;
  std::optional<PortLink> console_link_;
  boost::asio::signal_set signals_;
  boost::asio::signal_set window_;
  boost::asio::steady_timer timer_;
};

/// Before a machine is destroyed, which waits for its vCPUs, also where an exception ends the run.
class CloseFirst final {
 public:
  explicit CloseFirst(HostSide& host) : host_(host) {}
  CloseFirst(const CloseFirst&) = delete;
  CloseFirst& operator=(const CloseFirst&) = delete;
  ~CloseFirst() { host_.close(); }

 private:
  HostSide& host_;
};

}  // namespace kvmbench::cli
