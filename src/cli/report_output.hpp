/// Where a rendered report goes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "report/formats.hpp"

namespace kvmbench::cli {

/// As wide and as coloured as what it goes to shows: stdout, or a file.
[[nodiscard]] report::RenderOptions render_options(bool to_stdout, bool split_phases);

/// Throws UsageError where not all of it can be written.
void write_stdout(std::string_view text);

/// To the file, or to stdout where there is none.
void write_output(std::string_view text, const std::optional<std::string>& path);

}  // namespace kvmbench::cli
