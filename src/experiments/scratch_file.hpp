/// A file in memory, without a name of its own, that everything which takes a path can open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/unique_fd.hpp"

namespace kvmbench::experiments {

class ScratchFile final {
 public:
  /// `purpose` is what /proc shows of it; `bytes` its size, all zero. Throws HostError.
  explicit ScratchFile(const std::string& purpose, std::uint64_t bytes = 0);

  /// Valid in this process, as long as this object lives.
  [[nodiscard]] std::string path() const;
  /// What is in it, `most` bytes of it at most. Throws HostError.
  [[nodiscard]] std::string text(std::size_t most) const;

 private:
  UniqueFd file_;
};

}  // namespace kvmbench::experiments
