/// A document's text as values, with what JSON leaves open decided: no nesting beyond what a report has, no
/// member twice in an object, no number beyond a double's range.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace kvmbench::report {

/// Throws UsageError naming `name` and what is wrong.
[[nodiscard]] nlohmann::json parse_json(std::string_view text, const std::string& name);

}  // namespace kvmbench::report
