/// The guest programs that kvmbench carries with it.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace kvmbench {

struct BuiltInGuest {
  std::string_view name;  ///< as in `kvmbench run @name`
  std::string_view description;
  std::string_view options;          ///< words for its command line, with defaults; empty if it has none
  std::span<const std::byte> image;  ///< an ELF file with a PVH entry point
};

[[nodiscard]] std::span<const BuiltInGuest> built_in_guests();

}  // namespace kvmbench
