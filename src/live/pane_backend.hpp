/// The guest's serial port while a live view has the terminal: its output goes to the pane, and no key to it.
#pragma once

#include "hostio/serial_backend.hpp"
#include "live/console_pane.hpp"

namespace kvmbench::live {

class PaneBackend final : public hostio::SerialBackend {
 public:
  [[nodiscard]] CharacterSink& sink() noexcept override { return pane_; }
  void start(Receive) override {}
  void room() noexcept override {}
  void close() noexcept override {}
  void drain() override {}

  [[nodiscard]] const ConsolePane& pane() const noexcept { return pane_; }

 private:
  ConsolePane pane_;
};

}  // namespace kvmbench::live
