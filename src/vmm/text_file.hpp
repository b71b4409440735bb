/// Small files of /proc and /sys.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace kvmbench {

struct TextFile {
  std::string text;   ///< without the space around it, at most 64 KiB
  std::string error;  ///< why it could not be read, "" where it could
};
[[nodiscard]] TextFile read_text(const std::filesystem::path& file);

[[nodiscard]] std::string_view trimmed(std::string_view text);

}  // namespace kvmbench
