#include "stats/exit_reason.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string.h>  // strerrorname_np

#include <array>
#include <utility>
#include <vector>

#include "stats/exit_key.hpp"
#include "stats/hardware_reasons.hpp"

namespace kvmbench::stats {
namespace {

constexpr auto vmx_flags = std::to_array<std::pair<std::uint32_t, std::string_view>>({
    {vmx_entry_failure, "entry failed"},
    {vmx_from_root, "from VMX root operation"},
    {vmx_pending_mtf, "monitor trap flag pending"},
    {vmx_enclave, "in an enclave"},
    {vmx_bus_lock, "with a bus lock"},
    {vmx_shadow_stack_busy, "shadow stack prematurely busy"},
});

std::string vmx_reason_name(std::uint32_t number) {
  const std::uint32_t basic = basic_reason(Vendor::vmx, number);
  const ReasonText* text = hardware_reason(Vendor::vmx, basic);
  std::vector<std::string> remarks;
  if (text == nullptr) remarks.emplace_back("unknown");
  std::uint32_t unnamed = number & ~vmx_basic_reason;
  for (const auto& [flag, words] : vmx_flags) {
    if ((number & flag) != 0) remarks.emplace_back(words);
    unnamed &= ~flag;
  }
  if (unnamed != 0) remarks.push_back(fmt::format("flags {:#x}", unnamed));
  const std::string name =
      text != nullptr ? std::string(text->short_name) : fmt::format("VMX reason {}", basic);
  return remarks.empty() ? name : fmt::format("{} ({})", name, fmt::join(remarks, ", "));
}

}  // namespace

const ReasonText* userspace_reason(std::uint32_t reason) noexcept {
  const std::span<const ReasonText> all = userspace_reasons();
  return reason < all.size() ? &all[reason] : nullptr;
}

std::string userspace_reason_name(std::uint32_t reason) {
  if (const ReasonText* text = userspace_reason(reason)) return std::string(text->short_name);
  if (reason == overflow_reason) return "overflow";
  if ((reason & error_reason) == 0) return fmt::format("exit {}", reason);
  const std::uint32_t error = reason & ~error_reason;
  const char* name = ::strerrorname_np(static_cast<int>(error));
  return name != nullptr ? fmt::format("error {}", name) : fmt::format("error {}", error);
}

std::string hardware_reason_name(Vendor vendor, std::uint32_t number) {
  switch (vendor) {
    case Vendor::vmx:
      return vmx_reason_name(number);
    case Vendor::svm: {
      const ReasonText* text = hardware_reason(vendor, number);
      return text != nullptr ? std::string(text->short_name)
                             : fmt::format("SVM code {:#x} (unknown)", number);
    }
    case Vendor::unknown:
      break;
  }
  return fmt::format("hardware reason {} (unknown vendor)", number);
}

}  // namespace kvmbench::stats
