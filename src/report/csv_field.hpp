/// Fields of comma-separated values.
#pragma once

#include <string>
#include <string_view>

namespace kvmbench::report {

/// Printable, and quoted where it must be (RFC 4180, section 2, rules 5 to 7).
[[nodiscard]] std::string csv_field(std::string_view text);

}  // namespace kvmbench::report
