/// What a tracepoint's `format` file says: its number, and where its fields are.
/// (Documentation/trace/events.rst, "Event formats")
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kvmbench::trace {

struct EventField {
  std::string name;
  std::uint32_t offset = 0;  ///< bytes, in the event's record
  std::uint32_t size = 0;    ///< bytes
};

struct EventFormat {
  std::uint64_t id = 0;  ///< as perf_event_open's config wants it
  std::vector<EventField> fields;

  /// nullptr where the event has no such field.
  [[nodiscard]] const EventField* find(std::string_view name) const noexcept;

  /// Nothing where the text is no such file. Lines that are not understood are passed over.
  [[nodiscard]] static std::optional<EventFormat> parse(std::string_view text);
};

}  // namespace kvmbench::trace
