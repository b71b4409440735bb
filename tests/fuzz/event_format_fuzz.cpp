/// Any bytes as a tracepoint's `format` file: it is refused, or has fields that are found by their names, and
/// that a file made of them gives again.
#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "trace/event_format.hpp"

namespace {

using kvmbench::trace::EventField;
using kvmbench::trace::EventFormat;

std::string written(const EventFormat& format) {
  std::string text = fmt::format("name: event\nID: {}\nformat:\n", format.id);
  for (const EventField& field : format.fields)
    text += fmt::format("\tfield:int {};\toffset:{};\tsize:{};\tsigned:0;\n", field.name, field.offset,
                        field.size);
  return text + "\nprint fmt: \"\"\n";
}

bool same(const EventField& left, const EventField& right) {
  return left.name == right.name && left.offset == right.offset && left.size == right.size;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto format = EventFormat::parse({reinterpret_cast<const char*>(data), size});
  if (!format) return 0;
  for (const EventField& field : format->fields) {
    const EventField* found = format->find(field.name);
    if (found == nullptr || found->name != field.name) std::abort();
  }
  if (format->find("no such field\n") != nullptr) std::abort();
  const auto again = EventFormat::parse(written(*format));
  if (!again || again->id != format->id || again->fields.size() != format->fields.size()) std::abort();
  for (std::size_t i = 0; i < format->fields.size(); ++i) {
    if (!same(again->fields[i], format->fields[i])) std::abort();
  }
  return 0;
}
