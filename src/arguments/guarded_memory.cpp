#include "arguments/guarded_memory.hpp"

namespace kvmbench::arguments {

void add_guarded_memory(CLI::App& run, cli::RunOptions& options) {
  run.add_option("--protect", options.protect,
                 "memory the guest may not use, or only read; again for more; action=report|inject|stop")
      ->option_text("GPA-GPA:none|ro[,OPTIONS]")
      ->allow_extra_args(false);
  run.add_option("--watch", options.watch,
                 "memory whose changes are listed; again for more; by=exit|bitmap|ring, every=TIME")
      ->option_text("GPA-GPA[,OPTIONS]")
      ->allow_extra_args(false);
}

}  // namespace kvmbench::arguments
