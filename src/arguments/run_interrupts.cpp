#include "arguments/run_interrupts.hpp"

#include <cstdint>

namespace kvmbench::arguments {

void add_run_interrupts(CLI::App& run, cli::RunOptions& options) {
  run.add_option("--halt-poll", options.halt_poll_ns,
                 "nanoseconds that KVM waits awake for a halted vCPU (default the host's); 0 not at all")
      ->option_text("NS")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1'000'000'000}));
  run.add_option("--disable-exits", options.disabled_exits,
                 "instructions that the guest executes without an exit; may be repeated")
      ->option_text("hlt,pause,mwait,cstate")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"hlt", "pause", "mwait", "cstate"}));
  run.add_flag("--interrupt-source", options.interrupt_source,
               "a test device that interrupts in every way of KVM (docs/interrupt-source.md)");
}

}  // namespace kvmbench::arguments
