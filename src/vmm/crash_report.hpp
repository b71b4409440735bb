/// What is known of a vCPU that could not go on: registers, and the instruction at RIP.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "memory/guest_memory.hpp"
#include "vmm/vcpu.hpp"

namespace kvmbench {

/// Several lines, each ended by a newline. On the vCPU's own thread, after its last KVM_RUN returned; `error`
/// is the errno of that, or 0.
[[nodiscard]] std::string crash_report(Vcpu& vcpu, const GuestMemory& memory, int error);

/// The mnemonic of the instruction that `bytes` begin with, or "" where it is not one of the few told apart
/// here: those that an incomplete emulator is known to lack, and those that exit.
[[nodiscard]] std::string instruction_name(std::span<const std::byte> bytes);

}  // namespace kvmbench
