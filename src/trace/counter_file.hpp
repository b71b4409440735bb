/// The kernel's own counters of a VM or a vCPU, which need no privilege. (api.rst, KVM_GET_STATS_FD)
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/unique_fd.hpp"
#include "stats/kernel_counter.hpp"

namespace kvmbench::trace {

/// What the file says of itself: every counter without its values, and where those are.
struct CounterLayout {
  struct Place {
    stats::KernelCounter counter;  ///< without values
    std::size_t first = 0;         ///< its first value, in 8-byte words from the start of the data
    std::size_t count = 0;         ///< values
  };
  std::vector<Place> places;
  off_t data_offset = 0;  ///< bytes, in the file
  std::size_t words = 0;  ///< of data

  /// From the file's bytes up to its data: header, identifier, descriptors. A counter of a type or unit that
  /// is not known here is left out; nothing is returned where the bytes are no such file.
  [[nodiscard]] static std::optional<CounterLayout> parse(std::span<const std::byte> file);
};

class CounterFile final {
 public:
  /// `fd` is what KVM_GET_STATS_FD gave, or a duplicate of it, another process's too; nullopt where it is
  /// none.
  [[nodiscard]] static std::optional<CounterFile> open(UniqueFd fd);

  /// All counters, by one system call. Any thread. Empty where the file can no longer be read.
  [[nodiscard]] stats::KernelCounters read() const;

  /// Whether there is a counter `exits` of one value.
  [[nodiscard]] bool has_exits() const noexcept { return exits_offset_ != 0; }
  /// Its value, by one system call; 0 where there is none. Any thread, no allocation.
  [[nodiscard]] std::uint64_t exits() const noexcept;

 private:
  CounterFile(UniqueFd fd, CounterLayout layout);

  UniqueFd fd_;
  CounterLayout layout_;
  off_t exits_offset_ = 0;
};

}  // namespace kvmbench::trace
