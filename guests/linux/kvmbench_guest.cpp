// kvmbench-guest: what this virtual machine's exits are, asked from inside. (docs/guest-interface.md)
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "guests/linux/options.hpp"
#include "guests/linux/output.hpp"
#include "guests/linux/ports.hpp"
#include "guests/linux/sample.hpp"

namespace {

using namespace kvmbench::guest;

enum Status { ok = 0, wrong_argument = 1, no_interface = 2, no_permission = 3 };

int complain(Status status, const std::string& message) {
  std::fprintf(stderr, "kvmbench-guest: %s\n", message.c_str());
  return status;
}

int print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  if (std::fflush(stdout) == 0) return ok;
  return complain(wrong_argument, std::string("standard output: ") + std::strerror(errno));
}

std::string permission_message(const kvmbench_interface& interface, int error) {
  char ports[32];
  std::snprintf(ports, sizeof ports, "0x%x to 0x%x", interface.first_port,
                interface.first_port + KVMBENCH_PORT_COUNT - 1);
  return std::string("no permission for the I/O ports ") + ports + " (ioperm: " + std::strerror(error) +
         "): run it as root, or with CAP_SYS_RAWIO, which iopl and ioperm need";
}

int watch(Questions& questions, const kvmbench_interface& interface, const Options& options) {
  Sample last = take_sample(questions, interface, Detail::reasons);
  const auto show = [&](const Sample& sample, const std::optional<Sample>& growth) {
    return print(options.json ? sample_json(sample, growth, interface)
                              : watch_text(sample, growth, interface));
  };
  if (const int status = show(last, std::nullopt); status != ok) return status;
  for (unsigned long taken = 0; options.samples == 0 || taken < options.samples; ++taken) {
    timespec interval{};
    interval.tv_sec = static_cast<std::time_t>(options.interval);
    interval.tv_nsec = static_cast<long>((options.interval - static_cast<double>(interval.tv_sec)) * 1e9);
    while (::nanosleep(&interval, &interval) != 0 && errno == EINTR) continue;
    const Sample now = take_sample(questions, interface, Detail::reasons);
    if (const int status = show(now, now - last); status != ok) return status;
    last = now;
  }
  return ok;
}

/// The command's status, as a shell gives it.
int run_command(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  const pid_t child = ::fork();
  if (child == 0) {
    ::execvp(arguments[0], arguments.data());
    const int error = errno;
    std::fprintf(stderr, "kvmbench-guest: cannot run %s: %s\n", arguments[0], std::strerror(error));
    ::_exit(error == ENOENT ? 127 : 126);
  }
  if (child < 0) return complain(wrong_argument, std::string("fork: ") + std::strerror(errno));

  // Ctrl-C is for the command; what it caused until then is still printed.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGQUIT, SIG_IGN);
  int ending = 0;
  while (::waitpid(child, &ending, 0) < 0 && errno == EINTR) continue;
  return WIFSIGNALED(ending) ? 128 + WTERMSIG(ending) : WEXITSTATUS(ending);
}

int run(Questions& questions, const kvmbench_interface& interface, const Options& options) {
  const Sample before = take_sample(questions, interface, Detail::reasons);
  const int status = run_command(options.words);
  const Sample after = take_sample(questions, interface, Detail::reasons);
  const Sample growth = after - before;
  // The command's own output stays apart from this.
  const std::string text = options.json ? sample_json(after, growth, interface) : run_text(growth, interface);
  std::fputs(text.c_str(), stderr);
  return status;
}

int serve(Ports& ports, const kvmbench_interface& interface, const Options& options) {
  switch (options.command) {
    case Options::Command::total: {
      const Sample sample = take_sample(ports, interface, Detail::totals);
      return print(options.json ? sample_json(sample, std::nullopt, interface) : total_text(sample));
    }
    case Options::Command::reasons: {
      const Sample sample = take_sample(ports, interface, Detail::reasons);
      return print(options.json ? sample_json(sample, std::nullopt, interface)
                                : reasons_text(sample, interface));
    }
    case Options::Command::watch:
      return watch(ports, interface, options);
    case Options::Command::run:
      return run(ports, interface, options);
    case Options::Command::phase:
      ports.name_phase(options.words[0]);
      return ok;
    case Options::Command::help:
      break;
  }
  return ok;
}

}  // namespace

int main(int argc, char** argv) {
  std::string error;
  const std::optional<Options> options = parse_options({argv + 1, argv + argc}, error);
  if (!options) return complain(wrong_argument, error + " (see kvmbench-guest --help)");
  if (options->command == Options::Command::help) return print(usage);

  kvmbench_interface interface {};
  if (kvmbench_discover(&interface) == 0) {
    return complain(
        no_interface,
        "this machine is not a kvmbench guest: CPUID leaf 0x4fffff00 names no exit-count interface");
  }
  const bool queries = options->command != Options::Command::phase;
  if (interface.first_port == 0 || (queries && (interface.features & KVMBENCH_FEATURE_PORT) == 0)) {
    return complain(no_interface,
                    "this kvmbench answers no questions by port: start it with --guest-stats port,msr,page");
  }
  Ports ports(interface);
  if (const int failure = ports.open(); failure != 0) {
    return complain(no_permission, permission_message(interface, failure));
  }
  return serve(ports, interface, *options);
}
