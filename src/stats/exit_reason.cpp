#include "stats/exit_reason.hpp"

#include <fmt/format.h>
#include <string.h>  // strerrorname_np

#include "stats/exit_key.hpp"

namespace kvmbench::stats {

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

}  // namespace kvmbench::stats
