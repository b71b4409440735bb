#include "report/openmetrics_text.hpp"

#include <fmt/format.h>

#include "report/printable.hpp"

namespace kvmbench::report {

std::string label_value(std::string_view text) {
  std::string value;
  for (const char character : printable(text)) {
    if (character == '\\' || character == '"') value += '\\';
    value += character;
  }
  return value;
}

std::string family(std::string_view name, std::string_view type, std::string_view unit,
                   std::string_view help) {
  std::string text = fmt::format("# TYPE {} {}\n", name, type);
  if (!unit.empty()) text += fmt::format("# UNIT {} {}\n", name, unit);
  return text + fmt::format("# HELP {} {}\n", name, help);
}

}  // namespace kvmbench::report
