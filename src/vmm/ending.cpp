#include "vmm/ending.hpp"

#include <fmt/format.h>

#include <cstring>

namespace kvmbench {

std::string describe(const Ending& ending) {
  switch (ending.kind) {
    case Ending::Kind::powered_off:
      return "guest powered off";
    case Ending::Kind::halted:
      return "guest halted, and nothing could wake it";
    case Ending::Kind::debug_exit:
      return fmt::format("guest ended itself by the debug exit port with {:#x}", ending.value);
    case Ending::Kind::reset:
      return fmt::format("guest asked for a reset by {}", ending.text);
    case Ending::Kind::triple_fault:
      return "guest crashed: triple fault";
    case Ending::Kind::kvm_failure:
      return fmt::format("KVM could not go on: {}{}{}", ending.text, ending.value != 0 ? ": " : "",
                         ending.value != 0 ? std::strerror(static_cast<int>(ending.value)) : "");
    case Ending::Kind::protected_memory:
      return "guest reached for protected memory";
    case Ending::Kind::signal:
      return fmt::format("stopped by {}",
                         ::sigabbrev_np(static_cast<int>(ending.value)) != nullptr
                             ? fmt::format("SIG{}", ::sigabbrev_np(static_cast<int>(ending.value)))
                             : fmt::format("signal {}", ending.value));
    case Ending::Kind::left:
      return "left by Ctrl-a x";
    case Ending::Kind::timeout:
      return "stopped at the time limit";
  }
  return "?";
}

int exit_status(const Ending& ending) {
  switch (ending.kind) {
    case Ending::Kind::powered_off:
    case Ending::Kind::halted:
    case Ending::Kind::left:
      return 0;
    case Ending::Kind::debug_exit:
      return static_cast<int>(ending.value & 0xff);
    case Ending::Kind::kvm_failure:
      return 4;
    case Ending::Kind::triple_fault:
      return 5;
    case Ending::Kind::reset:
      return 6;
    case Ending::Kind::protected_memory:
      return 7;
    case Ending::Kind::timeout:
      return 124;
    case Ending::Kind::signal:
      return 128 + static_cast<int>(ending.value);
  }
  return 4;
}

}  // namespace kvmbench
