/// kvmbench run: build a machine, run a guest in it, account for its exits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/budget.hpp"
#include "cli/device_model.hpp"
#include "report/formats.hpp"
#include "report/report.hpp"
#include "vmm/boot/boot.hpp"
#include "vmm/guest_stats.hpp"
#include "vmm/vm.hpp"

namespace kvmbench::cli {

struct RunOptions {
  std::string image;  ///< a file, or @NAME for a built-in guest
  std::optional<std::string> initrd;
  std::vector<std::string> modules;
  std::string command_line;
  std::optional<boot::RawOptions> raw;

  std::uint64_t memory = 512ull << 20;  ///< bytes
  bool huge_pages = false;
  unsigned cpus = 1;
  Irqchip irqchip = Irqchip::full;
  std::vector<std::string> cpuid_mask;
  GuestStatsWays guest_stats;
  std::string serial = "stdio";
  std::string second_serial = "null";
  std::optional<DeviceModel> devices;  ///< of console, disks and networks whose own options do not say
  std::optional<std::string> console;  ///< "uart" or "virtio", and its options; default: as `devices` has it
  std::vector<std::string> disks;      ///< each a file and its options
  std::vector<std::string> networks;   ///< each a network and its options
  std::optional<std::string> rng;      ///< "host" and its options

  bool interrupt_source = false;
  std::optional<std::uint64_t> halt_poll_ns;  ///< nothing: as the host has it
  std::vector<std::string> disabled_exits;
  std::vector<std::string> protect;  ///< each a range of memory, what it may be used for, and its options
  std::vector<std::string> watch;    ///< each a range of memory and its options

  double timeout = 0;  ///< seconds; 0: none
  bool allow_unstable_tsc = false;
  bool trace = false;  ///< count the hardware's exits too, as far as this process may
  std::optional<std::string> mark_on_serial;

  std::vector<std::string> formats;       ///< by name (report/formats.hpp); empty: none
  std::vector<std::string> report_files;  ///< the n-th format's; formats beyond them go to stdout
  bool split_phases = false;
  double interval = 0;  ///< seconds; 0: none
  std::optional<std::string> interval_file;
  report::Chart chart = report::Chart::reasons;  ///< of the format svg

  bool account = true;                 ///< record exits
  bool exit_probe = false;             ///< vmm/exit_probe.hpp; for experiments
  bool rip = false;                    ///< record where in the guest exits come from
  std::optional<std::string> symbols;  ///< an ELF file or a System.map; nothing: the image, where it is ELF
  bool live = false;
  std::optional<std::string> serve;  ///< where to listen
  std::string serve_token;           ///< a file; "" for none
  BudgetOptions budget;
};

/// Runs the guest and writes its reports. The exit status (vmm/ending.hpp). Throws UsageError, HostError.
[[nodiscard]] int run(const RunOptions& options);

struct RunResult {
  int status;
  report::Report report;
  report::Timeline timeline;  ///< empty without --interval
  double vcpu_cpu_seconds;    ///< the host's CPU time of the vCPUs' threads
};
/// Runs the guest and no more. Throws UsageError, HostError.
[[nodiscard]] RunResult run_guest(const RunOptions& options);

}  // namespace kvmbench::cli
