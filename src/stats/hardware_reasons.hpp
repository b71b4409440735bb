/// The exit reasons of the hardware: which the vendor's manual defines, what they mean (tables in
/// stats/reasons/), and which of them a host's KVM never enables.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "stats/exit_reason.hpp"

namespace kvmbench::stats {

/// Numbers as in the guest interface.
enum class Vendor : std::uint8_t { unknown = 0, vmx = 1, svm = 2 };

/// VMX basic exit reasons (Intel SDM vol. 3, appendix C) or SVM exit codes (AMD APM vol. 2, appendix C; -1 to
/// -4 as their low 32 bits), in ascending order; none of an unknown vendor.
[[nodiscard]] std::span<const ReasonText> hardware_reasons(Vendor vendor) noexcept;

/// nullptr where the manual defines no such reason, or not that this program knows of.
[[nodiscard]] const ReasonText* hardware_reason(Vendor vendor, std::uint32_t number) noexcept;

/// VMX's 32-bit exit reason: the basic one, and flags beside it (Intel SDM vol. 3, "Basic VM-Exit
/// Information", table "Format of Exit Reason").
inline constexpr std::uint32_t vmx_basic_reason = 0xffff;
inline constexpr std::uint32_t vmx_shadow_stack_busy = std::uint32_t{1} << 25;
inline constexpr std::uint32_t vmx_bus_lock = std::uint32_t{1} << 26;
inline constexpr std::uint32_t vmx_enclave = std::uint32_t{1} << 27;
inline constexpr std::uint32_t vmx_pending_mtf = std::uint32_t{1} << 28;
inline constexpr std::uint32_t vmx_from_root = std::uint32_t{1} << 29;
inline constexpr std::uint32_t vmx_entry_failure = std::uint32_t{1} << 31;

/// The number that the vendor's table has, without VMX's flags.
[[nodiscard]] std::uint32_t basic_reason(Vendor vendor, std::uint32_t number) noexcept;

/// The short name, and VMX's flags in words: "INVALID_STATE (entry failed)". An unknown number stays one:
/// "VMX reason 86 (unknown)", "SVM code 0x404 (unknown)", "hardware reason 7 (unknown vendor)".
[[nodiscard]] std::string hardware_reason_name(Vendor vendor, std::uint32_t number);

/// A set of reasons of one vendor.
class ReasonSet final {
 public:
  /// Numbers that no vendor defines are never contained.
  void insert(std::uint32_t number) noexcept;
  [[nodiscard]] bool contains(std::uint32_t number) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return members_.count(); }

 private:
  static constexpr std::size_t slots = 0x100 + 0x100 + 4;  // 0 to 0xff, 0x400 to 0x4ff, -4 to -1
  [[nodiscard]] static std::size_t slot_of(std::uint32_t number) noexcept;

  std::bitset<slots> members_;
};

[[nodiscard]] ReasonSet defined_reasons(Vendor vendor) noexcept;

/// What is known of a host's hardware and KVM. What could not be read stays empty.
struct KvmHost {
  Vendor vendor = Vendor::unknown;
  std::optional<std::set<std::string, std::less<>>> cpu_flags;  ///< /proc/cpuinfo, "flags"
  std::optional<std::set<std::string, std::less<>>> vmx_flags;  ///< /proc/cpuinfo, "vmx flags"
  /// /sys/module/kvm_intel/parameters or kvm_amd's: "ept" is "Y".
  std::map<std::string, std::string, std::less<>> parameters;
  /// The VMX capability MSRs (Intel SDM vol. 3, appendix A.3), as RDMSR gives them.
  struct Controls {
    std::optional<std::uint64_t> pin_based;         ///< 0x481
    std::optional<std::uint64_t> processor_based;   ///< 0x482
    std::optional<std::uint64_t> processor_based2;  ///< 0x48b, which exists only where 0x482 has bit 63
    std::optional<std::uint64_t> processor_based3;  ///< 0x492, which exists only where 0x482 has bit 49
  } controls;
};

/// Vendor and flags from the text of /proc/cpuinfo (its first CPU).
[[nodiscard]] KvmHost parse_cpuinfo(std::string_view text);

/// The defined reasons of which it is certain that this KVM, on this hardware, with these parameters, never
/// lets the CPU exit for them. What cannot be known is not among them.
[[nodiscard]] ReasonSet never_enabled(const KvmHost& host);

}  // namespace kvmbench::stats
