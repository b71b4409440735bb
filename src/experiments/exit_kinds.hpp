/// The kinds of exit that the price list has, as guests/prices.c makes them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "stats/traced_exits.hpp"

namespace kvmbench::experiments {

struct ExitKind {
  /// The machine that it needs: one of one vCPU, of two with or without x2APIC, one whose memory is in huge
  /// pages.
  enum Arm : std::size_t { one_cpu, x2apic, xapic, huge_pages };
  static constexpr std::size_t arms = 4;

  /// How many rounds cause one return of KVM_RUN, besides numbers of them.
  static constexpr std::uint64_t none = 0;
  static constexpr std::uint64_t not_determined = ~std::uint64_t{0};
  /// A ring of one page with a header of 8 bytes and 24 bytes a write, one of which stays empty
  /// (linux/kvm.h, kvm_coalesced_mmio_ring): the write that finds it full returns.
  static constexpr std::uint64_t ring_full = (4096 - 8) / 24;
  static constexpr unsigned string_bytes = 64;  ///< guests/prices.c

  std::string_view guest;   ///< its name there
  std::string_view name;    ///< in the table
  std::string_view server;  ///< who serves it
  Arm arm = one_cpu;
  std::uint64_t rounds_a_return = none;
  std::optional<stats::HardwareDetail::Kind> detail{};  ///< under which a tracer finds it
  std::uint64_t value = 0;
  long capability = 0;  ///< of KVM's, without which it cannot be; 0: none
  std::string_view lacking{};
  std::string_view published{};
  std::string_view string_instruction{};  ///< that moves string_bytes in a round; "" of other kinds
};

inline constexpr std::size_t exit_kind_count = 45;
/// In the table's order.
[[nodiscard]] const std::array<ExitKind, exit_kind_count>& exit_kinds() noexcept;

}  // namespace kvmbench::experiments
