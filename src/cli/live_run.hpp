/// run --live: the table of a run, redrawn once a second; a line a second where there is no terminal.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <string>

#include "live/console_pane.hpp"
#include "live/run_moment.hpp"
#include "live/screen.hpp"
#include "live/view.hpp"
#include "vmm/machine.hpp"

namespace kvmbench::cli {

class LiveRun final {
 public:
  struct Shown {
    std::string title;  ///< what runs: "@mix"
    std::uint64_t tsc_khz = 0;
    const live::ConsolePane* console = nullptr;  ///< the guest's output, where it goes nowhere else
  };

  /// `leave` is called when the user wants the run to end.
  LiveRun(boost::asio::io_context& io, const Machine& machine, Shown shown, std::function<void()> leave);
  LiveRun(const LiveRun&) = delete;
  LiveRun& operator=(const LiveRun&) = delete;

  /// Takes the terminal, until destroyed.
  void start();

 private:
  void wait_for_second();
  void wait_for_key();
  void look();
  void draw();

  const Machine& machine_;
  const Shown shown_;
  const std::function<void()> leave_;
  const live::NameOf name_of_;
  live::View view_;
  stats::Snapshot began_;
  stats::Snapshot last_;
  std::optional<live::Screen> screen_;  // none where there is no terminal
  boost::asio::steady_timer second_;
  boost::asio::posix::stream_descriptor keys_;
  std::array<char, 16> pressed_{};
};

}  // namespace kvmbench::cli
