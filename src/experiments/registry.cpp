#include <array>

#include "experiments/experiment.hpp"

namespace kvmbench::experiments {

// Each is defined in the file of its name.
void run_exits(Context& context, report::ExperimentResult& result);
void run_idle(Context& context, report::ExperimentResult& result);
void run_paging(Context& context, report::ExperimentResult& result);
void run_interrupts(Context& context, report::ExperimentResult& result);
void run_io_mix(Context& context, report::ExperimentResult& result);
void run_net(Context& context, report::ExperimentResult& result);
void run_batch(Context& context, report::ExperimentResult& result);
void run_coalesce(Context& context, report::ExperimentResult& result);
void run_protect(Context& context, report::ExperimentResult& result);
void run_introspect(Context& context, report::ExperimentResult& result);
void run_single_step(Context& context, report::ExperimentResult& result);
void run_complexity(Context& context, report::ExperimentResult& result);
void run_tsx(Context& context, report::ExperimentResult& result);
void run_scale(Context& context, report::ExperimentResult& result);
void run_overhead(Context& context, report::ExperimentResult& result);

namespace {

constexpr std::array table{
    Experiment{"exits", "What does an exit of each kind cost?", run_exits},
    Experiment{"io-mix", "How do exits and throughput change with the share of work that is I/O?",
               run_io_mix},
    Experiment{"net", "What does a small frame cost by an e1000, and what by virtio-net?", run_net},
    Experiment{"batch", "What is saved by several virtio requests per notification?", run_batch},
    Experiment{"coalesce", "What does a device save by holding notifications back, and at what latency?",
               run_coalesce},
    Experiment{"interrupts", "What does an interrupt cost a guest, by each way of delivering it?",
               run_interrupts},
    Experiment{"idle", "What does an idle guest cost its host, by its tick?", run_idle},
    Experiment{"paging", "What does work on memory and page tables cost under nested and shadow paging?",
               run_paging},
    Experiment{"protect", "Is every access of protected memory caught, and what does one cost?", run_protect},
    Experiment{"introspect", "What does it cost to know what a guest modifies, and what is known then?",
               run_introspect},
    Experiment{"single-step", "Is each instruction that exits stepped over as the manuals have it?",
               run_single_step},
    Experiment{"complexity", "Many simple exits, or few with much in them?", run_complexity},
    Experiment{"tsx", "How many transactions do interrupts abort?", run_tsx},
    Experiment{"scale", "How do exits scale with vCPUs and machines?", run_scale},
    Experiment{"overhead", "What does accounting itself cost?", run_overhead},
};

}  // namespace

std::span<const Experiment> experiments() {
  return table;
}

}  // namespace kvmbench::experiments
