#include "cli/report_output.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.hpp"
#include "cli/terminal_size.hpp"

namespace kvmbench::cli {

report::RenderOptions render_options(bool to_stdout, bool split_phases) {
  constexpr unsigned file_width = 120;
  return {.width = to_stdout ? terminal_width() : file_width,
          .colour = to_stdout && terminal_has_colour(),
          .split_phases = split_phases};
}

void write_stdout(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) {  // whoever shares it with us has made it non-blocking
      pollfd room{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
      ::poll(&room, 1, -1);
      continue;
    }
    if (written < 0)
      throw UsageError(fmt::format("cannot write the report to stdout: {}", std::strerror(errno)));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void write_output(std::string_view text, const std::optional<std::string>& path) {
  path ? report::write_file(*path, text) : write_stdout(text);
}

}  // namespace kvmbench::cli
