/// The user's terminal while a guest uses it.
#pragma once

namespace kvmbench::hostio {

/// Puts a terminal into raw mode and, when destroyed, back into the mode that it found, also
/// where the process dies of a fault or aborts. Every key goes to the
/// guest, Ctrl-C included; output processing stays on, so that messages of the host still begin at the left
/// margin. One at a time in a process: throws UsageError for a second one, HostError where the terminal
/// refuses.
class RawTerminal final {
 public:
  explicit RawTerminal(int fd);
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal();
};

/// True if reading from terminal `fd` or changing its mode would stop this process, which does not have it
/// now: it was started with `&`, or by a program such as timeout(1) that makes a process group of its own.
[[nodiscard]] bool in_background(int fd) noexcept;

}  // namespace kvmbench::hostio
