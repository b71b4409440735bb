// Arguments, and nothing else: each subcommand is a file in src/cli/. Those of the commands on saved reports
// are in src/arguments/.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <functional>
#include <map>
#include <string>

#include "arguments/budget.hpp"
#include "arguments/command.hpp"
#include "arguments/duration.hpp"
#include "arguments/formats.hpp"
#include "arguments/guarded_memory.hpp"
#include "arguments/run_interrupts.hpp"
#include "arguments/run_views.hpp"
#include "base/error.hpp"
#include "cli/ab.hpp"
#include "cli/guests.hpp"
#include "cli/host.hpp"
#include "cli/run.hpp"
#include "cli/standard_streams.hpp"

namespace {

using kvmbench::Irqchip;
using kvmbench::boot::CpuMode;
using kvmbench::cli::RunOptions;

constexpr int usage_status = 2;
constexpr int host_status = 4;

constexpr const char* examples = R"(
Examples:
  kvmbench run @hello                the shortest run: a built-in guest and its exits
  kvmbench bench exits               what an exit of each kind costs here
  kvmbench guests                    which guests there are
  kvmbench host                      what this host's KVM can do

kvmbench COMMAND --help tells more; man kvmbench tells all.
)";

constexpr const char* host_examples = R"(
Examples:
  kvmbench host                      this host's facts, as in a report's header, and its KVM's capabilities
  kvmbench host > host.txt           to be compared with another host's
)";

constexpr const char* guests_examples = R"(
Examples:
  kvmbench guests                    their names, and the options that --cmdline gives them
  kvmbench run @mix --cmdline n=100  runs one of them
)";

constexpr const char* run_examples = R"(
Examples:
  kvmbench run @mix                                    a built-in guest (kvmbench guests lists them)
  kvmbench run vmlinuz --initrd initrd --mem 1G --cpus 2 --cmdline 'console=ttyS0 quiet'
  kvmbench run kernel.elf --report json --report-file run.json
  kvmbench run @disk --disk disk.img --ab disk         with an IDE disk and with virtio-blk, compared
  kvmbench run vmlinuz --initrd initrd --disk disk.img,model=virtio --disk data.img,readonly
  kvmbench run @mix --trace                            with the hardware's exits, by reason
  kvmbench run @mix --cmdline n=1000000 --live         rates and shares while it runs
  kvmbench run kernel.elf --rip --report html --report-file run.html
  kvmbench run kernel.elf --protect 0x1000000-0x1001fff:ro --watch 0x2000000-0x2000fff,by=ring
  kvmbench run boot.bin --mode 16 --load-address 0x7c00 --serial null --timeout 10s

Exit status: the guest's own (the low 8 bits of what it writes to port 0xf4), 0 when it powered off or halted,
2 usage, 3 over budget, 4 host or KVM, 5 guest crashed (triple fault), 6 guest asked for a reset, 7 guest reached
for protected memory, 124 time limit, 128+n signal n.
)";

/// The options of `kvmbench run` in the shape that CLI11 fills.
struct RunArguments {
  RunOptions options;
  std::string mode;
  std::string irqchip = "full";
  std::string devices;
  std::vector<std::string> guest_stats{"port", "msr", "page"};
  std::uint64_t load_address = 0;
  std::uint64_t entry = 0;
  std::vector<std::string> reports{"text"};
  std::string ab;
};

void add_image_options(CLI::App& run, RunArguments& arguments) {
  RunOptions& options = arguments.options;
  run.add_option("image", options.image, "bzImage, ELF or raw file (its content decides), or @NAME")
      ->required();
  run.add_option("--initrd", options.initrd, "initial RAM disk of a Linux or PVH image")->option_text("FILE");
  run.add_option("--cmdline", options.command_line, "the guest's command line")->option_text("TEXT");
  run.add_option("--module", options.modules, "multiboot or PVH module; may be repeated")
      ->option_text("FILE")
      ->allow_extra_args(false);
  run.add_option("--mode", arguments.mode, "the image is a raw binary, entered in this mode")
      ->option_text("16|32|64")
      ->check(CLI::IsMember({"16", "32", "64"}));
  run.add_option("--load-address", arguments.load_address,
                 "where a raw binary goes (default 0x7c00 or 0x100000)")
      ->option_text("GPA")
      ->needs("--mode");
  run.add_option("--entry", arguments.entry, "where a raw binary is entered (default its load address)")
      ->option_text("GPA")
      ->needs("--mode");
}

void add_machine_options(CLI::App& run, RunArguments& arguments) {
  RunOptions& options = arguments.options;
  run.add_option("--mem", options.memory, "guest memory (default 512M)")
      ->option_text("SIZE")
      ->transform(CLI::AsSizeValue(false))
      ->check([](const std::string& text) {
        std::uint64_t bytes = 0;  // stays where the number is negative or too large for any type
        std::from_chars(text.data(), text.data() + text.size(), bytes);
        const bool possible = bytes >= std::uint64_t{1} << 20 && bytes <= std::uint64_t{64} << 40;
        return possible ? std::string() : std::string("a machine has 1M to 64T of memory");
      });
  run.add_flag("--hugepages", options.huge_pages, "guest memory in 2 MiB pages from hugetlbfs");
  run.add_option("--cpus", options.cpus, "vCPUs (default 1)")->option_text("N");
  run.add_option("--irqchip", arguments.irqchip,
                 "interrupt controllers in the kernel: all (default), local APICs, none")
      ->option_text("full|split|none")
      ->check(CLI::IsMember({"full", "split", "none"}));
  run.add_option("--cpuid-mask", options.cpuid_mask,
                 "hide a CPU feature (avx2, kvmclock, 0x7.0:ebx.5); may be repeated")
      ->option_text("FEATURE")
      ->delimiter(',')
      ->allow_extra_args(false);
  run.add_option("--guest-stats", arguments.guest_stats,
                 "how the guest may read its own exit counts (default all three)")
      ->option_text("port,msr,page|off")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"port", "msr", "page", "off"}));
  run.add_option("--serial", options.serial,
                 "where the first serial port goes (default stdio; Ctrl-a x leaves)")
      ->option_text("stdio|null|file:PATH|pty|unix:PATH");
  run.add_option("--serial2", options.second_serial, "the same for the second serial port (default null)")
      ->option_text("SPEC");
  run.add_option("--devices", arguments.devices,
                 "console, disks and networks: as in hardware, or made for virtual machines")
      ->option_text("emulated|paravirtual")
      ->check(CLI::IsMember({"emulated", "paravirtual"}));
  run.add_option("--console", options.console,
                 "the console; options of virtio: backend, kick, ring (man page)")
      ->option_text("uart|virtio[,OPTIONS]");
  run.add_option("--disk", options.disks,
                 "a disk, again for more; options: model, readonly, cache, queues, ... (man page)")
      ->option_text("FILE[,OPTIONS]")
      ->allow_extra_args(false);
  run.add_option("--net", options.networks,
                 "a network card, again for more; options: model, mac, pcap, kick, ring (man page)")
      ->option_text("tap=NAME|socket=PATH|echo|sink[,OPTIONS]")
      ->allow_extra_args(false);
  run.add_option("--rng", options.rng, "a virtio-rng device; options: kick, ring (man page)")
      ->option_text("host[,OPTIONS]");
  kvmbench::arguments::add_guarded_memory(run, options);
}

void add_account_options(CLI::App& run, RunArguments& arguments) {
  RunOptions& options = arguments.options;
  kvmbench::arguments::takes_duration(
      *run.add_option("--timeout", options.timeout, "stop the guest after this time"));
  run.add_flag("--allow-unstable-tsc", options.allow_unstable_tsc, "run although the host's TSC is no clock");
  run.add_flag("--trace", options.trace,
               "count and time the hardware's exits by reason (needs CAP_BPF, CAP_PERFMON)");
  run.add_option("--mark-on-serial", options.mark_on_serial,
                 "begin a phase at each line of serial output that matches")
      ->option_text("REGEX");
  CLI::Option& report = *run.add_option("--report", arguments.reports,
                                        "formats of the exit report (default text); may be repeated")
                             ->delimiter(',')
                             ->allow_extra_args(false);
  kvmbench::arguments::takes_format(report, {"none"});
  run.add_option("--report-file", options.report_files,
                 "file of the first report, of the second, ...; further reports go to stdout")
      ->option_text("FILE")
      ->allow_extra_args(false);
  run.add_option("--ab", arguments.ab, "run twice, with emulated and with paravirtual devices, and compare")
      ->option_text(std::string(kvmbench::cli::ab_services))
      ->check(CLI::IsMember({"console", "disk", "net", "all"}));
  run.add_flag("--by-phase", options.split_phases, "split text and markdown reports by phase");
  kvmbench::arguments::takes_duration(*run.add_option(
      "--interval", options.interval, "append a JSON line of what has come, this often, while running"));
  kvmbench::arguments::add_budget_options(run, options.budget);
  run.add_option("--interval-file", options.interval_file, "where to (default kvmbench-intervals.jsonl)")
      ->option_text("FILE")
      ->needs("--interval");
}

RunOptions finish(const CLI::App& run, RunArguments& arguments) {
  RunOptions& options = arguments.options;
  if (!arguments.mode.empty()) {
    const std::map<std::string, CpuMode> modes = {
        {"16", CpuMode::real16}, {"32", CpuMode::protected32}, {"64", CpuMode::long64}};
    options.raw =
        kvmbench::boot::RawOptions{.mode = modes.at(arguments.mode), .load_address = {}, .entry = {}};
    if (run.count("--load-address") != 0) options.raw->load_address = arguments.load_address;
    if (run.count("--entry") != 0) options.raw->entry = arguments.entry;
  }
  const std::map<std::string, Irqchip> irqchips = {
      {"full", Irqchip::full}, {"split", Irqchip::split}, {"none", Irqchip::none}};
  options.irqchip = irqchips.at(arguments.irqchip);
  if (!arguments.devices.empty()) {
    const bool emulated = arguments.devices == "emulated";
    options.devices =
        emulated ? kvmbench::cli::DeviceModel::emulated : kvmbench::cli::DeviceModel::paravirtual;
  }
  const auto has = [&ways = arguments.guest_stats](const char* way) {
    return std::find(ways.begin(), ways.end(), way) != ways.end();
  };
  if (has("off") && arguments.guest_stats.size() > 1) {
    throw kvmbench::UsageError("--guest-stats off stands alone; leave it out, or the others");
  }
  options.guest_stats = {.port = has("port"), .msr = has("msr"), .page = has("page")};
  for (const std::string& name : arguments.reports) {
    if (name != "none") options.formats.push_back(name);
  }
  if (options.report_files.size() > options.formats.size()) {
    throw kvmbench::UsageError(fmt::format(
        "--report-file is given {} times for {} report format{}; give each file its "
        "--report",
        options.report_files.size(), options.formats.size(), options.formats.size() == 1 ? "" : "s"));
  }
  return options;
}

int dispatch(int argc, char** argv) {
  CLI::App app("kvmbench: runs a virtual machine and accounts for every VM exit", "kvmbench");
  app.set_version_flag("--version", "kvmbench " KVMBENCH_VERSION);
  app.require_subcommand(0, 1);  // none at all is told below, by the names of those there are
  app.footer(examples);

  RunArguments arguments;
  CLI::App& run = *app.add_subcommand("run", "run a guest and report its exits");
  run.footer(run_examples);
  add_image_options(run, arguments);
  add_machine_options(run, arguments);
  add_account_options(run, arguments);
  kvmbench::arguments::add_run_interrupts(run, arguments.options);
  kvmbench::arguments::add_run_views(run, arguments.options);
  CLI::App& host = *app.add_subcommand("host", "show what this host is and what its KVM can do");
  host.footer(host_examples);
  CLI::App& guests = *app.add_subcommand("guests", "list the built-in guests");
  guests.footer(guests_examples);
  const std::vector<kvmbench::arguments::Command> further_commands = {
      kvmbench::arguments::add_bench(app), kvmbench::arguments::add_trace(app),
      kvmbench::arguments::add_report(app), kvmbench::arguments::add_compare(app),
      kvmbench::arguments::add_merge(app)};

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {  // --help, --version
    return app.exit(wanted);
  } catch (const CLI::ParseError& error) {
    const auto given = app.get_subcommands();
    const std::string command = given.empty() ? "" : given.front()->get_name() + ' ';
    throw kvmbench::UsageError(fmt::format("{} (kvmbench {}--help)", error.what(), command));
  }
  for (const kvmbench::arguments::Command& command : further_commands) {
    if (*command.app) return command.run();
  }
  if (host) return kvmbench::cli::host();
  if (guests) return kvmbench::cli::guests();
  if (run) {
    const RunOptions options = finish(run, arguments);
    return arguments.ab.empty() ? kvmbench::cli::run(options) : kvmbench::cli::run_ab(options, arguments.ab);
  }
  std::string names;
  for (const CLI::App* command : app.get_subcommands({}))
    names += (names.empty() ? "" : ", ") + command->get_name();
  throw kvmbench::UsageError(fmt::format("a command is needed: {} (kvmbench --help)", names));
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of the write
  kvmbench::cli::fill_closed_streams();
  try {
    const int status = dispatch(argc, argv);
    kvmbench::cli::flush_stdout();
    return status;
  } catch (const kvmbench::UsageError& error) {
    kvmbench::cli::tell(error.what());
    return usage_status;
  } catch (const std::exception& error) {
    kvmbench::cli::tell(error.what());
    return host_status;
  }
}
