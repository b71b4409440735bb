/// How a run ended, and the exit status that tells it to a script.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kvmbench {

struct Ending {
  enum class Kind {
    powered_off,       ///< ACPI S5
    halted,            ///< HLT on a machine where nothing can interrupt
    debug_exit,        ///< isa-debug-exit; `value` is what the guest wrote
    reset,             ///< the guest asked for a reset; `text` names the register
    triple_fault,      ///< KVM_EXIT_SHUTDOWN
    kvm_failure,       ///< KVM could not go on; `text` says why, `value` is an errno or 0
    protected_memory,  ///< the guest reached for it (--protect ...,action=stop)
    signal,            ///< SIGINT, SIGTERM or SIGHUP; `value` is its number
    left,              ///< Ctrl-a x
    timeout,           ///< --timeout
  };
  Kind kind = Kind::powered_off;
  std::uint32_t value = 0;
  std::string_view text;  ///< a literal
};

/// "guest powered off", "guest ended itself with status 3 (debug exit)", ...
[[nodiscard]] std::string describe(const Ending& ending);

/// 0 powered off, halted or left; the low 8 bits of a debug exit's value; 4 KVM failure; 5 triple fault; 6
/// reset; 7 protected memory; 124 timeout; 128 + n for signal n.
[[nodiscard]] int exit_status(const Ending& ending);

}  // namespace kvmbench
