/// JSON as the reports are written.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace kvmbench::report {

/// What is written keeps its order.
using WrittenJson = nlohmann::ordered_json;

template <class Value>
[[nodiscard]] WrittenJson or_null(const std::optional<Value>& value) {
  return value ? WrittenJson(*value) : WrittenJson(nullptr);
}

/// On one line, in ASCII: whatever a terminal might obey is escaped. What is no UTF-8 becomes U+FFFD.
[[nodiscard]] std::string json_line(const WrittenJson& value);

/// A line for every member down to `levels`, what is deeper on one line; ends in a newline.
[[nodiscard]] std::string json_text(const WrittenJson& value, unsigned levels);

}  // namespace kvmbench::report
