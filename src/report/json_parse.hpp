/// A document's text as values (RFC 8259), with what JSON leaves open decided: no nesting beyond what a
/// report has, no member twice in an object, no number beyond a double's range, no string that is not UTF-8.
#pragma once

#include <string>
#include <string_view>

#include "report/json_document.hpp"

namespace kvmbench::report {

/// Objects and arrays within one another; a report has fewer.
inline constexpr unsigned deepest_json = 16;

/// `text` has to outlive the result. Throws UsageError naming `name` and what is wrong.
[[nodiscard]] JsonDocument parse_json(std::string_view text, const std::string& name);

}  // namespace kvmbench::report
