/// What a guest did to memory that was guarded: reached for where it may not, or changed where it was
/// watched.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/direction.hpp"
#include "stats/histogram.hpp"

namespace kvmbench::stats {

/// One access. What the way of watching cannot tell is nothing.
struct MemoryAccess {
  Cycles when = 0;  ///< TSC: of the exit, or of when the page was found modified
  std::uint64_t address = 0;
  Direction direction = Direction::none;
  std::uint8_t width = 0;                ///< bytes; 0: somewhere in the page that begins at the address
  std::optional<std::uint32_t> vcpu{};   ///< its index
  std::optional<std::uint64_t> value{};  ///< written
  std::optional<std::uint64_t> rip{};    ///< as KVM left it (docs/memory.md)

  friend bool operator==(const MemoryAccess&, const MemoryAccess&) = default;
};

/// A range and what came to it. `rule` is as the options say it: "none,action=report", "watch,by=ring".
struct GuardedMemory {
  std::uint64_t first = 0;
  std::uint64_t last = 0;  ///< the last byte
  std::string rule;
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;  ///< or pages found modified
  std::uint64_t told = 0;    ///< to the guest, by a machine check

  friend bool operator==(const GuardedMemory&, const GuardedMemory&) = default;
};

struct GuardedAccount {
  std::vector<GuardedMemory> ranges;   ///< in ascending order
  std::vector<MemoryAccess> accesses;  ///< the first that came
  std::uint64_t further = 0;           ///< for which there was no room

  friend bool operator==(const GuardedAccount&, const GuardedAccount&) = default;
};

}  // namespace kvmbench::stats
