/// Parts of OpenMetrics 1.0.0 text.
#pragma once

#include <string>
#include <string_view>

namespace kvmbench::report {

/// A label's value: backslash, quote and newline are escaped (3.1.1, ABNF: escaped-string).
[[nodiscard]] std::string label_value(std::string_view text);

/// What precedes a family's samples. `unit` may be "".
[[nodiscard]] std::string family(std::string_view name, std::string_view type, std::string_view unit,
                                 std::string_view help);

}  // namespace kvmbench::report
