#include "stats/guest_query.hpp"

#include <algorithm>
#include <limits>

#include "kvmbench_abi.h"

namespace kvmbench::stats {
namespace {

std::uint32_t low(std::uint64_t value) noexcept {
  return static_cast<std::uint32_t>(value);
}

std::uint32_t high(std::uint64_t value) noexcept {
  return static_cast<std::uint32_t>(value >> 32);
}

std::uint32_t saturated(std::uint64_t value) noexcept {
  return low(std::min<std::uint64_t>(value, std::numeric_limits<std::uint32_t>::max()));
}

enum class Standing { userspace, hardware, undefined, never_enabled, not_counted };

Standing standing_of(std::uint32_t reason, const HardwareAccount& hardware) noexcept {
  if ((reason & 0xffff'0000) == KVMBENCH_USERSPACE_REASON) {
    const std::uint32_t n = reason & 0xffff;
    const bool known = n < KVMBENCH_USERSPACE_REASONS || n == KVMBENCH_USERSPACE_FURTHER;
    return known ? Standing::userspace : Standing::undefined;
  }
  // Whose manual is asked for, nobody knows.
  if (hardware.vendor == Vendor::unknown) return Standing::not_counted;
  if (!hardware.defined.contains(reason)) return Standing::undefined;
  if (hardware.never_enabled.contains(reason)) return Standing::never_enabled;
  return hardware.counted ? Standing::hardware : Standing::not_counted;
}

std::uint32_t mark_of(Standing standing) noexcept {
  switch (standing) {
    case Standing::undefined:
      return KVMBENCH_UNDEFINED;
    case Standing::not_counted:
      return KVMBENCH_NOT_COUNTED;
    default:
      return 0;
  }
}

Answer answer_all(Tally all) noexcept {
  return {low(all.count), high(all.cycles), low(all.cycles), high(all.count)};
}

Answer answer_of_reason(std::uint32_t leaf, std::uint32_t reason, Tally tally) noexcept {
  if (leaf == KVMBENCH_LEAF_COUNT) return {low(tally.count), high(tally.count), reason, 0};
  return {low(tally.count), high(tally.cycles), low(tally.cycles), 0};
}

Answer answer_spread(Spread spread) noexcept {
  return {saturated(spread.min), saturated(spread.median), saturated(spread.p99), saturated(spread.max)};
}

}  // namespace

HardwareAccount HardwareAccount::of(const KvmHost& host, bool counted) {
  return {host.vendor, defined_reasons(host.vendor), stats::never_enabled(host), counted};
}

Answer answer(std::uint32_t leaf, std::uint32_t reason, const HardwareAccount& hardware,
              const ExitCounts& counts) noexcept {
  if (leaf == KVMBENCH_LEAF_ALL) return answer_all(counts.all());
  const bool of_reason = leaf == KVMBENCH_LEAF_COUNT || leaf == KVMBENCH_LEAF_CYCLES;
  if (!of_reason && leaf != KVMBENCH_LEAF_SPREAD) return {0, 0, 0, KVMBENCH_UNDEFINED};

  const Standing standing = standing_of(reason, hardware);
  if (standing == Standing::userspace) {
    const std::uint32_t n = reason & 0xffff;
    return of_reason ? answer_of_reason(leaf, reason, counts.userspace(n))
                     : answer_spread(counts.userspace_spread(n));
  }
  if (standing == Standing::hardware) {
    return of_reason ? answer_of_reason(leaf, reason, counts.hardware(reason))
                     : answer_spread(counts.hardware_spread(reason));
  }
  return {0, 0, 0, mark_of(standing)};
}

std::optional<std::uint64_t> read_msr(std::uint32_t index, const HardwareAccount& hardware,
                                      const ExitCounts& counts) noexcept {
  if (index == KVMBENCH_MSR_ALL) return counts.all().count;
  if (index == KVMBENCH_MSR_ALL_CYCLES) return counts.all().cycles;

  // Six groups of 256: count and cycles of hardware, of userspace and of hardware reasons from 0x400 on.
  if (index < KVMBENCH_MSR_HARDWARE || index >= KVMBENCH_MSR_COUNT) return std::nullopt;
  constexpr std::array<std::uint32_t, 3> first_reason = {0, KVMBENCH_USERSPACE_REASON, 0x400};
  const std::uint32_t group = index / 0x100 - 1;
  const std::uint32_t reason = first_reason[group / 2] + index % 0x100;

  const Standing standing = standing_of(reason, hardware);
  Tally tally;
  if (standing == Standing::userspace) {
    tally = counts.userspace(reason & 0xffff);
  } else if (standing == Standing::hardware) {
    tally = counts.hardware(reason);
  } else {
    return std::uint64_t{mark_of(standing)} << 32;
  }
  return group % 2 == 0 ? tally.count : tally.cycles;
}

std::array<Answer, 3> cpuid_leaves(const InterfaceLeaves& interface) noexcept {
  const std::uint32_t vendor = static_cast<std::uint32_t>(interface.vendor) << KVMBENCH_FEATURE_VENDOR_SHIFT;
  const bool msrs = (interface.features & KVMBENCH_FEATURE_MSR) != 0;
  const bool pages = (interface.features & KVMBENCH_FEATURE_PAGE) != 0;
  const std::uint64_t first_page = pages ? interface.first_page : 0;
  return {{
      {KVMBENCH_CPUID_PAGE, KVMBENCH_SIGNATURE_EBX, KVMBENCH_SIGNATURE_ECX, KVMBENCH_SIGNATURE_EDX},
      {KVMBENCH_ABI_VERSION, interface.first_port, msrs ? interface.first_msr : 0,
       interface.features | vendor},
      {low(first_page), high(first_page), pages ? KVMBENCH_PAGE_BYTES : 0, interface.tsc_khz},
  }};
}

}  // namespace kvmbench::stats
