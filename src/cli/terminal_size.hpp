/// What stdout can show.
#pragma once

namespace kvmbench::cli {

/// Columns of the terminal on stdout; of $COLUMNS, or 100, where it is none.
[[nodiscard]] unsigned terminal_width();

/// A terminal, and the user has not said otherwise (NO_COLOR, see no-color.org; TERM=dumb).
[[nodiscard]] bool terminal_has_colour();

}  // namespace kvmbench::cli
