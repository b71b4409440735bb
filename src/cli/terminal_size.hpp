/// What stdout can show.
#pragma once

#include <cstdint>
#include <optional>

namespace kvmbench::cli {

/// Characters of a terminal's screen.
struct TerminalSize {
  std::uint16_t columns;
  std::uint16_t rows;
};
/// Of the terminal on stdout; nullopt where it is none, or says nothing.
[[nodiscard]] std::optional<TerminalSize> terminal_size();

/// Columns of the terminal on stdout; of $COLUMNS, or 100, where it is none.
[[nodiscard]] unsigned terminal_width();

/// A terminal, and the user has not said otherwise (NO_COLOR, see no-color.org; TERM=dumb).
[[nodiscard]] bool terminal_has_colour();

}  // namespace kvmbench::cli
