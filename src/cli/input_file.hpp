/// A file of the user's, read through a mapping.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace kvmbench::cli {

class InputFile final {
 public:
  /// Throws UsageError naming `path` where it cannot be read, is no regular file or is empty.
  explicit InputFile(const std::string& path);
  InputFile(InputFile&& other) noexcept;
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  InputFile& operator=(InputFile&&) = delete;
  ~InputFile();

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace kvmbench::cli
