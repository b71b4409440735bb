/// --serial null
#pragma once

#include "hostio/serial_backend.hpp"

namespace kvmbench::hostio {

/// Output vanishes without a lock or a wake-up; there is no input.
class NullBackend final : public SerialBackend {
 public:
  [[nodiscard]] CharacterSink& sink() noexcept override { return sink_; }
  void start(Receive) override {}
  void room() noexcept override {}
  void close() noexcept override {}
  void drain() override {}

 private:
  NullSink sink_;
};

}  // namespace kvmbench::hostio
