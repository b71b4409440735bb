/// --serial stdio
#pragma once

#include <functional>
#include <optional>

#include "base/unique_fd.hpp"
#include "hostio/escape_filter.hpp"
#include "hostio/stream_backend.hpp"
#include "hostio/terminal.hpp"

namespace kvmbench::hostio {

class StdioBackend final : public StreamBackend {
 public:
  /// The descriptors stay the caller's, and the flags of their file descriptions as they are.
  StdioBackend(boost::asio::io_context& io, int input, int output, std::function<void()> leave);
  [[nodiscard]] std::string notice() const override;

 private:
  [[nodiscard]] std::size_t filter(std::span<const std::uint8_t> typed, std::span<std::uint8_t> to_guest);

  std::function<void()> leave_;
  UniqueFd own_output_;
  std::optional<RawTerminal> terminal_;
  bool background_ = false;
  EscapeFilter escape_;
};

}  // namespace kvmbench::hostio
