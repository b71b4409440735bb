/// Which of the kernel's further events tell what an exit was for.
#pragma once

#include <cstdint>
#include <span>

#include "stats/traced_exits.hpp"

namespace kvmbench::stats {

/// The kinds of detail that exits of this reason have, as KVM's handlers of them announce (arch/x86/kvm);
/// none where no event tells. Flags beside the basic reason do not matter.
[[nodiscard]] std::span<const HardwareDetail::Kind> detail_kinds(Vendor vendor,
                                                                 std::uint32_t reason) noexcept;

/// Likewise for a return of KVM_RUN with KVM_EXIT_*.
[[nodiscard]] std::span<const HardwareDetail::Kind> detail_kinds_of_return(std::uint32_t reason) noexcept;

}  // namespace kvmbench::stats
