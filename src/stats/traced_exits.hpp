/// The hardware's exits of a vCPU as a tracer of the kernel's events saw them, as values.
#pragma once

#include <cstdint>
#include <vector>

#include "base/direction.hpp"
#include "stats/hardware_reasons.hpp"
#include "stats/time_stats.hpp"

namespace kvmbench::stats {

/// One exit reason of the hardware. Times are nanoseconds, not cycles: the kernel's programs have no TSC.
struct HardwareReasonStats {
  std::uint32_t reason = 0;  ///< as KVM gives it: of VMX with the flags in its high half
  std::uint64_t count = 0;
  std::uint64_t returned = 0;  ///< those after which KVM_RUN returned
  /// Exit to the next entry, what userspace took and the time not scheduled among it. Its count is less than
  /// `count` where no entry has followed: by one, of a vCPU that is out of its guest.
  TimeStats out_of_guest;
  TimeStats outside;  ///< the part from the return of KVM_RUN on, of the exits that led to one

  HardwareReasonStats& operator+=(const HardwareReasonStats& other) noexcept;
  HardwareReasonStats& operator-=(const HardwareReasonStats& earlier) noexcept;
  friend bool operator==(const HardwareReasonStats&, const HardwareReasonStats&) = default;
};

/// What exits were for, by another of the kernel's events: several may come of one exit, or none.
struct HardwareDetail {
  enum class Kind : std::uint8_t { port, mmio, msr, cpuid, page_fault, apic, hypercall };
  Kind kind = Kind::port;
  Direction direction = Direction::none;
  std::uint8_t width = 0;   ///< bytes, of port and mmio
  std::uint64_t value = 0;  ///< port, address, MSR, leaf, start of a range of fault_range, register, number

  friend bool operator==(const HardwareDetail&, const HardwareDetail&) = default;
  friend auto operator<=>(const HardwareDetail&, const HardwareDetail&) = default;
};
inline constexpr std::uint64_t fault_range = std::uint64_t{2} << 20;  ///< bytes

struct HardwareDetailStats {
  HardwareDetail detail;
  std::uint64_t count = 0;
  /// Out-of-guest time of the exits whose last event it was, and how many they are.
  std::uint64_t timed = 0;
  std::uint64_t nanoseconds = 0;

  friend bool operator==(const HardwareDetailStats&, const HardwareDetailStats&) = default;
};

/// How often KVM_RUN returned, by KVM_EXIT_*.
struct ReturnCount {
  std::uint32_t reason = 0;
  std::uint64_t count = 0;

  friend bool operator==(const ReturnCount&, const ReturnCount&) = default;
};

/// Of one vCPU.
struct TracedExits {
  Vendor vendor = Vendor::unknown;  ///< by the events themselves; unknown before the first one
  std::uint64_t exits = 0;          ///< events of exits; those of the reasons and without_reason
  std::uint64_t entries = 0;
  std::uint64_t emulated = 0;                ///< instructions that KVM emulated
  std::vector<HardwareReasonStats> reasons;  ///< in ascending order
  std::vector<HardwareDetailStats> details;  ///< in ascending order
  std::vector<ReturnCount> returns;          ///< in ascending order
  std::uint64_t without_reason = 0;          ///< exits for whose reason the tracer had no room
  std::uint64_t without_detail = 0;          ///< events likewise

  /// All returns of KVM_RUN.
  [[nodiscard]] std::uint64_t return_count() const noexcept;

  /// Another vCPU's exits.
  TracedExits& operator+=(const TracedExits& other);
  /// What has come since `earlier`, an earlier state of the same vCPU's. What did not grow is left out.
  TracedExits& operator-=(const TracedExits& earlier);
  friend bool operator==(const TracedExits&, const TracedExits&) = default;
};

}  // namespace kvmbench::stats
