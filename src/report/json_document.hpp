/// A parsed JSON text: all its values in one list, in the order of the text.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace kvmbench::report {

/// One value. An object is followed by its members, each a string and a value; an array by its elements.
struct JsonValue {
  enum class Type : std::uint8_t { null, boolean, integer, negative, real, string, array, object };

  Type type = Type::null;
  std::uint32_t size = 0;  ///< elements, members, or bytes of a string
  std::uint32_t next = 0;  ///< index of the first value after this one and all that is in it
  union {
    std::uint64_t integer;  ///< also a boolean
    std::int64_t negative;  ///< an integer with a sign: -0 is one
    double real;            ///< finite: with a fraction or an exponent, or beyond 64 bits
    const char* string;
  };

  JsonValue() : integer(0) {}
  [[nodiscard]] std::string_view text() const { return {string, size}; }
};

struct JsonDocument {
  std::vector<JsonValue> values;  ///< the first one is the whole
  /// Strings of values are in the text that was parsed, which has to outlive this; those that had escapes,
  /// here.
  std::deque<std::string> unescaped;
};

}  // namespace kvmbench::report
