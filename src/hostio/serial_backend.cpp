#include "hostio/serial_backend.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "hostio/file_backend.hpp"
#include "hostio/null_backend.hpp"
#include "hostio/pty_backend.hpp"
#include "hostio/stdio_backend.hpp"
#include "hostio/unix_backend.hpp"

namespace kvmbench::hostio {

std::unique_ptr<SerialBackend> SerialBackend::open(boost::asio::io_context& io, const std::string& spec,
                                                   std::function<void()> leave) {
  constexpr std::string_view file = "file:";
  constexpr std::string_view socket = "unix:";
  if (spec == "stdio")
    return std::make_unique<StdioBackend>(io, STDIN_FILENO, STDOUT_FILENO, std::move(leave));
  if (spec == "null") return std::make_unique<NullBackend>();
  if (spec == "pty") return std::make_unique<PtyBackend>(io);
  if (spec.starts_with(file)) return std::make_unique<FileBackend>(io, spec.substr(file.size()));
  if (spec.starts_with(socket)) return std::make_unique<UnixBackend>(io, spec.substr(socket.size()));
  throw UsageError(
      fmt::format("serial port '{}' is not known: give stdio, null, file:PATH, pty or unix:PATH", spec));
}

}  // namespace kvmbench::hostio
