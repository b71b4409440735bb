#include "guests/linux/options.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "kvmbench_abi.h"

namespace kvmbench::guest {

const char usage[] =
    "usage: kvmbench-guest [--json] COMMAND\n"
    "\n"
    "Prints how many exits this virtual machine has caused, on all its vCPUs, as its kvmbench counts them.\n"
    "\n"
    "  total                      all exits and the cycles they took\n"
    "  reasons                    one line a reason that has occurred\n"
    "  watch [-i SECONDS] [-n N]  the reasons now and after each of N intervals (1 s; without -n for ever), "
    "with\n"
    "                             the increase, its rate, and the fastest-growing reason marked\n"
    "  run COMMAND [ARGUMENT...]  runs COMMAND and prints what came while it ran\n"
    "  phase NAME                 begins the phase NAME of the host's report\n"
    "\n"
    "Status: 0; 1 a wrong argument; 2 this machine is no kvmbench guest; 3 no permission for its I/O ports. "
    "With\n"
    "run: that of COMMAND, 128 + N if signal N ended it, 127 or 126 if it is not found or cannot be run.\n";

namespace {

bool parse_interval(const std::string& text, double& seconds) {
  char* end = nullptr;
  seconds = std::strtod(text.c_str(), &end);
  return end != text.c_str() && *end == '\0' && seconds >= 0.01 && seconds <= 86400;
}

bool parse_samples(const std::string& text, unsigned long& samples) {
  const bool digits = !text.empty() && text.size() <= 9 && text.find_first_not_of("0123456789") == text.npos;
  if (digits) samples = std::strtoul(text.c_str(), nullptr, 10);
  return digits && samples > 0;
}

bool is_phase_name(const std::string& name) {
  const auto printable = [](char character) { return character >= ' ' && character <= '~'; };
  return !name.empty() && name.size() <= KVMBENCH_NAME_MAX && std::ranges::all_of(name, printable);
}

/// Options of `watch`, from `at` on; "" or what is wrong.
std::string parse_watch(const std::vector<std::string>& arguments, std::size_t at, Options& options) {
  while (at < arguments.size()) {
    const std::string& name = arguments[at++];
    if (name == "--json") {
      options.json = true;
      continue;
    }
    if (name != "-i" && name != "-n") return "watch has no option " + name;
    if (at == arguments.size()) return name + " needs a value";
    const std::string& value = arguments[at++];
    if (name == "-i" && !parse_interval(value, options.interval)) {
      return "-i " + value + ": an interval is 0.01 to 86400 seconds";
    }
    if (name == "-n" && !parse_samples(value, options.samples)) {
      return "-n " + value + ": the number of intervals is 1 to 999999999";
    }
  }
  return "";
}

std::string parse_rest(const std::vector<std::string>& arguments, std::size_t at, Options& options) {
  using Command = Options::Command;
  if (options.command == Command::watch) return parse_watch(arguments, at, options);
  if (options.command == Command::run) {
    options.words.assign(arguments.begin() + static_cast<std::ptrdiff_t>(at), arguments.end());
    return options.words.empty() ? "run needs a command" : "";
  }
  for (; at < arguments.size(); ++at) {
    if (arguments[at] == "--json") {
      options.json = true;
    } else {
      options.words.push_back(arguments[at]);
    }
  }
  const std::size_t wanted = options.command == Command::phase ? 1 : 0;
  if (options.words.size() < wanted) return "phase needs a name";
  if (options.words.size() > wanted) return "one argument too many: " + options.words.back();
  if (wanted == 1 && !is_phase_name(options.words[0])) {
    return "a phase's name is 1 to " + std::to_string(KVMBENCH_NAME_MAX) + " printable ASCII characters";
  }
  return "";
}

}  // namespace

std::optional<Options> parse_options(const std::vector<std::string>& arguments, std::string& error) {
  static const std::map<std::string, Options::Command> commands = {
      {"-h", Options::Command::help},     {"--help", Options::Command::help},
      {"total", Options::Command::total}, {"reasons", Options::Command::reasons},
      {"watch", Options::Command::watch}, {"run", Options::Command::run},
      {"phase", Options::Command::phase},
  };
  Options options;
  std::size_t at = 0;
  while (at < arguments.size() && arguments[at] == "--json") {
    options.json = true;
    ++at;
  }
  const auto command = at < arguments.size() ? commands.find(arguments[at]) : commands.end();
  if (command == commands.end()) {
    error = at < arguments.size() ? "no such command: " + arguments[at] : "a command is missing";
    return std::nullopt;
  }
  options.command = command->second;
  error = parse_rest(arguments, at + 1, options);
  return error.empty() ? std::optional(options) : std::nullopt;
}

}  // namespace kvmbench::guest
