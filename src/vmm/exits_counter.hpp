/// The kernel's own count of a vCPU's exits, which needs no privilege. (api.rst, KVM_GET_STATS_FD)
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "base/unique_fd.hpp"

namespace kvmbench {

class ExitsCounter final {
 public:
  /// `stats_fd` is a vCPU's; nullopt where it is none, or has no counter "exits" of one value.
  [[nodiscard]] static std::optional<ExitsCounter> open(UniqueFd stats_fd);

  /// One system call. Any thread.
  [[nodiscard]] std::uint64_t read() const noexcept;

 private:
  ExitsCounter(UniqueFd fd, off_t offset) : fd_(std::move(fd)), offset_(offset) {}

  UniqueFd fd_;
  off_t offset_;
};

}  // namespace kvmbench
