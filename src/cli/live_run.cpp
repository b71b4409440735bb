#include "cli/live_run.hpp"

#include <unistd.h>

#include <memory>
#include <string_view>

#include "cli/standard_streams.hpp"
#include "cli/terminal_size.hpp"
#include "report/units.hpp"

namespace kvmbench::cli {
namespace {

live::NameOf names_of(const Machine& machine) {
  return [&machine](const stats::ExitKey& key) {
    const Machine::Answerer answerer = machine.answerer_of(key);
    if (answerer.device == nullptr) return report::KeyName{};
    return report::KeyName{std::string(answerer.device->name()), answerer.register_name};
  };
}

}  // namespace

LiveRun::LiveRun(boost::asio::io_context& io, const Machine& machine, Shown shown,
                 std::function<void()> leave)
    : machine_(machine),
      shown_(std::move(shown)),
      leave_(std::move(leave)),
      name_of_(names_of(machine)),
      second_(io),
      keys_(io) {}

void LiveRun::start() {
  began_ = machine_.snapshot();
  last_ = began_;
  if (live::Screen::available()) {
    screen_.emplace();
    keys_.assign(::dup(STDIN_FILENO));
    wait_for_key();
    draw();
  }
  second_.expires_after(std::chrono::seconds(1));
  wait_for_second();
}

void LiveRun::wait_for_second() {
  second_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    look();
    draw();
    second_.expires_at(second_.expiry() + std::chrono::seconds(1));
    wait_for_second();
  });
}

void LiveRun::wait_for_key() {
  keys_.async_read_some(boost::asio::buffer(pressed_),
                        [this](const boost::system::error_code& error, std::size_t size) {
                          if (error) return;
                          const live::Key key = live::key_of(std::string_view(pressed_.data(), size));
                          if (key == live::Key::quit) return leave_();
                          view_.press(key);
                          draw();
                          wait_for_key();
                        });
}

void LiveRun::look() {
  live::Sample sample;
  sample.total = machine_.snapshot();
  sample.total.tsc_khz = shown_.tsc_khz;
  sample.recent = sample.total - last_;
  const report::Clock clock(shown_.tsc_khz);
  sample.recent_seconds = clock.seconds(static_cast<double>(sample.total.taken - last_.taken));
  sample.run_seconds = clock.seconds(static_cast<double>(sample.total.taken - began_.taken));
  sample.title = shown_.title;
  last_ = sample.total;
  view_.show(std::make_shared<live::RunMoment>(std::move(sample), name_of_));
}

void LiveRun::draw() {
  if (!screen_) return tell(view_.line());
  const std::vector<std::string> console =
      shown_.console != nullptr ? shown_.console->lines() : std::vector<std::string>{};
  screen_->draw(view_.render(screen_->size(), terminal_has_colour(), console));
}

}  // namespace kvmbench::cli
