#include "report/json_text.hpp"

namespace kvmbench::report {
namespace {

/// A line for every member down to `levels`, what is deeper on one line.
void write(std::string& out, const WrittenJson& value, unsigned levels, std::size_t indent) {
  if (levels == 0 || !value.is_structured() || value.empty()) {
    out += json_line(value);
    return;
  }
  const bool object = value.is_object();
  const std::string margin(indent + 2, ' ');
  out += object ? '{' : '[';
  bool first = true;
  for (const auto& [name, member] : value.items()) {
    out += (first ? "\n" : ",\n") + margin;
    if (object) out += json_line(name) + ": ";
    write(out, member, levels - 1, indent + 2);
    first = false;
  }
  out += '\n' + std::string(indent, ' ') + (object ? '}' : ']');
}

}  // namespace

std::string json_line(const WrittenJson& value) {
  return value.dump(-1, ' ', true, WrittenJson::error_handler_t::replace);
}

std::string json_text(const WrittenJson& value, unsigned levels) {
  std::string text;
  write(text, value, levels, 0);
  return text + '\n';
}

}  // namespace kvmbench::report
