#include "cli/host_side.hpp"

#include <fmt/format.h>

#include <csignal>
#include <span>
#include <utility>

#include "cli/host_devices.hpp"
#include "cli/standard_streams.hpp"
#include "cli/terminal_size.hpp"
#include "live/pane_backend.hpp"

namespace kvmbench::cli {

std::chrono::nanoseconds to_duration(double seconds) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

PortLink::PortLink(std::string_view port, hostio::SerialBackend& backend,
                   hostio::SerialBackend::Receive receive)
    : backend_(backend) {
  backend.start(std::move(receive));
  if (const std::string notice = backend.notice(); !notice.empty()) {
    tell(fmt::format("{}: {}", port, notice));
  }
}

HostSide::HostSide(boost::asio::io_context& io, const RunOptions& options)
    : signals_(io, SIGINT, SIGTERM, SIGHUP), window_(io), timer_(io) {
  const auto open = [this, &io, live = options.live](const std::string& spec) {
    return open_backend(io, spec, live);
  };
  serial0_ = open(options.serial);
  serial1_ = open(options.second_serial);
  const ConsoleOptions console = console_options(options);
  const bool shared = console.backend == "stdio" && options.serial == "stdio";
  if (console.paravirtual && !shared) console_ = open(console.backend);
}

void HostSide::connect(Machine& machine, virtio::ConsoleDevice* console, double timeout) {
  machine_ = &machine;
  connect_uart(link0_, machine.platform().uart(0), *serial0_, console_ ? nullptr : console);
  connect_uart(link1_, machine.platform().uart(1), *serial1_, nullptr);
  if (console != nullptr) connect_console(*console);
  wait_for_signal();
  if (timeout <= 0) return;
  timer_.expires_after(to_duration(timeout));
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled) stop({Ending::Kind::timeout, 0, {}});
  });
}

void HostSide::connect_uart(std::optional<PortLink>& link, Uart16550& uart, hostio::SerialBackend& backend,
                            virtio::ConsoleDevice* sharing) {
  link.emplace(uart.name(), backend, [&uart, sharing](std::span<const std::uint8_t> characters) {
    return sharing != nullptr && sharing->ready() ? sharing->receive(characters) : uart.receive(characters);
  });
  uart.set_receive_ready(*link);
  if (sharing != nullptr) sharing->set_receive_ready(*link);
}

void HostSide::connect_console(virtio::ConsoleDevice& console) {
  console.set_transmit_observer(machine_->phase_marker());
  if (console_) {
    console_link_.emplace(console.name(), *console_, [&console](std::span<const std::uint8_t> characters) {
      return console.receive(characters);
    });
    console.set_receive_ready(*console_link_);
  }
  if (console.has_size()) {
    window_.add(SIGWINCH);
    wait_for_resize(console);
  }
}

void HostSide::wait_for_resize(virtio::ConsoleDevice& console) {
  window_.async_wait([this, &console](const boost::system::error_code& cancelled, int) {
    if (cancelled) return;
    if (const auto size = terminal_size()) console.resize({.columns = size->columns, .rows = size->rows});
    wait_for_resize(console);
  });
}

std::unique_ptr<hostio::SerialBackend> HostSide::open_backend(boost::asio::io_context& io,
                                                              const std::string& spec, bool live) {
  if (live && spec == "stdio") {
    auto backend = std::make_unique<live::PaneBackend>();
    pane_ = &backend->pane();
    return backend;
  }
  return hostio::SerialBackend::open(io, spec, [this] { leave(); });
}

void HostSide::wait_for_signal() {
  signals_.async_wait([this](const boost::system::error_code& cancelled, int signal) {
    if (cancelled) return;
    stop({Ending::Kind::signal, static_cast<std::uint32_t>(signal), {}});
    wait_for_signal();  // a second one ends drain()
  });
}

void HostSide::stop(const Ending& ending) {
  close();
  if (machine_ != nullptr) machine_->stop(ending);
}

}  // namespace kvmbench::cli
