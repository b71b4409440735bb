// Runs a virtual machine monitor and says how soon its guest was heard, and how much memory it took.
//
//   probe [--until TEXT] [--kill] GUEST-MIB COMMAND [ARG...]
//
// Prints "first_us T peak_kib P guest_kib G status S":
//   T  from just before the program is started until the first byte of its standard output, or with --until
//   until
//      TEXT was in it, has arrived at the other end of the pipe;
//   P  its peak resident memory (ru_maxrss, which is VmHWM at its end);
//   G  of the guest's memory, what is resident then: that in mappings of at least GUEST-MIB, the program
//   being stopped
//      for the look at them;
//   S  its exit status, 128 + n where signal n ended it. --kill ends it by SIGTERM when it has been heard.
// All of its standard output goes to stderr.
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string until;
  bool kill = false;
  unsigned long guest_kib = 0;
  char** command = nullptr;
};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

Options parse(char** argument) {
  Options options;
  for (++argument; *argument != nullptr && std::strncmp(*argument, "--", 2) == 0; ++argument) {
    if (std::strcmp(*argument, "--kill") == 0) options.kill = true;
    if (std::strcmp(*argument, "--until") == 0 && argument[1] != nullptr) options.until = *++argument;
  }
  if (*argument != nullptr) options.guest_kib = std::strtoul(*argument++, nullptr, 10) * 1024;
  options.command = argument;
  if (*argument == nullptr) {
    std::fputs("usage: probe [--until TEXT] [--kill] GUEST-MIB COMMAND [ARG...]\n", stderr);
    std::exit(2);
  }
  return options;
}

pid_t start(char** command, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  pid_t pid = 0;
  errno = posix_spawnp(&pid, command[0], &actions, nullptr, command, environ);
  if (errno != 0) fail(command[0]);
  return pid;
}

/// Resident kibibytes in mappings of at least `least` kibibytes.
unsigned long resident_in_large_mappings(pid_t pid, unsigned long least) {
  std::ifstream smaps("/proc/" + std::to_string(pid) + "/smaps");
  unsigned long size = 0, value = 0, resident = 0;
  for (std::string line; std::getline(smaps, line);) {
    if (std::sscanf(line.c_str(), "Size: %lu kB", &value) == 1) size = value;
    if (std::sscanf(line.c_str(), "Rss: %lu kB", &value) == 1 && size >= least) resident += value;
  }
  return resident;
}

unsigned long look_at_guest(pid_t pid, unsigned long guest_kib) {
  ::kill(pid, SIGSTOP);
  siginfo_t stopped{};
  ::waitid(P_PID, static_cast<id_t>(pid), &stopped, WSTOPPED | WEXITED | WNOWAIT);
  const unsigned long resident = resident_in_large_mappings(pid, guest_kib);
  ::kill(pid, SIGCONT);
  return resident;
}

}  // namespace

int main(int, char** argv) {
  const Options options = parse(argv);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe");

  const auto began = Clock::now();
  const pid_t pid = start(options.command, ends[1]);
  ::close(ends[1]);
  std::string seen;
  double first_us = -1;
  unsigned long guest = 0;
  std::array<char, 4096> bytes;
  for (ssize_t got; (got = ::read(ends[0], bytes.data(), bytes.size())) > 0;) {
    const auto now = Clock::now();
    std::fwrite(bytes.data(), 1, static_cast<std::size_t>(got), stderr);
    if (first_us >= 0) continue;
    seen.append(bytes.data(), static_cast<std::size_t>(got));
    if (seen.find(options.until) == std::string::npos) continue;
    first_us = std::chrono::duration<double, std::micro>(now - began).count();
    if (options.guest_kib != 0) guest = look_at_guest(pid, options.guest_kib);
    if (options.kill) ::kill(pid, SIGTERM);
  }
  int status = 0;
  rusage usage{};
  if (::wait4(pid, &status, 0, &usage) != pid) fail("wait4");
  std::printf("first_us %.1f peak_kib %ld guest_kib %lu status %d\n", first_us, usage.ru_maxrss, guest,
              WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}
