/// What several exit reasons of the hardware have in common to say.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "stats/exit_reason.hpp"

namespace kvmbench::stats::reasons {

// Remedies
inline constexpr std::string_view once = "Nothing to lessen: it happens once.";
inline constexpr std::string_view host_event = "Nothing in the guest: it is the host's.";
inline constexpr std::string_view not_by_kvm = "Nothing to do: it does not occur under KVM.";
inline constexpr std::string_view not_offered = "Have the guest heed CPUID, which does not offer it.";
inline constexpr std::string_view firmware_only = "Nothing to lessen: few firmwares do it, and once.";
inline constexpr std::string_view nested_paging_vmx =
    "Turn EPT on; without it, larger pages and fewer changes of mappings in the guest.";
inline constexpr std::string_view nested_paging_svm =
    "Turn nested paging on (npt=1); without it, larger pages and fewer changes of mappings in the guest.";

// Causes
inline constexpr std::string_view only_for_nested =
    "A nested hypervisor that asks so for its own guest; KVM itself does not intercept it.";

// A hypervisor in the guest
inline constexpr std::string_view nested_vmx =
    "A hypervisor in the guest executed this instruction of VMX, which always exits; KVM emulates it.";
inline constexpr std::string_view nested_vmx_switch =
    "A hypervisor in the guest starts or changes over to one of its own guests' vCPUs.";
inline constexpr std::string_view nested_vmx_remedy =
    "Run the inner guest on the host itself; else keep its vCPUs pinned.";
inline constexpr std::string_view nested_vmx_entry_remedy =
    "Run the inner guest on the host itself; else lessen the inner guest's exits, each of which costs "
    "several here.";
inline constexpr std::string_view nested_svm =
    "A hypervisor in the guest executed this instruction of SVM; KVM emulates it.";

/// Tables of consecutive reasons as one.
template <std::size_t... sizes>
consteval auto joined(const std::array<ReasonText, sizes>&... tables) {
  std::array<ReasonText, (sizes + ...)> all{};
  std::size_t at = 0;
  const auto add = [&](const auto& table) {
    for (const ReasonText& reason : table) all[at++] = reason;
  };
  (add(tables), ...);
  return all;
}

}  // namespace kvmbench::stats::reasons
