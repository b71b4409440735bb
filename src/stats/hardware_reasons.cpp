#include "stats/hardware_reasons.hpp"

#include <algorithm>

#include "stats/reasons/svm_exceptions.hpp"
#include "stats/reasons/svm_instructions.hpp"
#include "stats/reasons/svm_others.hpp"
#include "stats/reasons/svm_registers.hpp"
#include "stats/reasons/vmx_first.hpp"
#include "stats/reasons/vmx_later.hpp"

namespace kvmbench::stats {
namespace {

constexpr auto vmx_reasons = reasons::joined(reasons::vmx_first, reasons::vmx_later);
constexpr auto svm_reasons =
    reasons::joined(reasons::svm_registers, reasons::svm_exceptions, reasons::svm_instructions,
                    reasons::svm_write_traps, reasons::svm_later_instructions, reasons::svm_others);

}  // namespace

std::span<const ReasonText> hardware_reasons(Vendor vendor) noexcept {
  switch (vendor) {
    case Vendor::vmx:
      return vmx_reasons;
    case Vendor::svm:
      return svm_reasons;
    case Vendor::unknown:
      break;
  }
  return {};
}

const ReasonText* hardware_reason(Vendor vendor, std::uint32_t number) noexcept {
  const std::span<const ReasonText> all = hardware_reasons(vendor);
  const auto at = std::ranges::lower_bound(all, number, {}, &ReasonText::reason);
  return at != all.end() && at->reason == number ? &*at : nullptr;
}

std::uint32_t basic_reason(Vendor vendor, std::uint32_t number) noexcept {
  return vendor == Vendor::vmx ? number & vmx_basic_reason : number;
}

std::size_t ReasonSet::slot_of(std::uint32_t number) noexcept {
  if (number < 0x100) return number;
  if (number >= 0x400 && number < 0x500) return 0x100 + (number - 0x400);
  if (number >= 0xffff'fffc) return 0x200 + (number - 0xffff'fffc);
  return slots;
}

void ReasonSet::insert(std::uint32_t number) noexcept {
  if (const std::size_t slot = slot_of(number); slot < slots) members_[slot] = true;
}

bool ReasonSet::contains(std::uint32_t number) const noexcept {
  const std::size_t slot = slot_of(number);
  return slot < slots && members_[slot];
}

ReasonSet defined_reasons(Vendor vendor) noexcept {
  ReasonSet defined;
  for (const ReasonText& text : hardware_reasons(vendor)) defined.insert(text.reason);
  return defined;
}

}  // namespace kvmbench::stats
