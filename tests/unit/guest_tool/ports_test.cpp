#include "guests/linux/ports.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>

namespace kvmbench::guest {
namespace {

constexpr unsigned no_such_cpu = 1u << 20;

std::vector<unsigned> allowed_cpus() {
  cpu_set_t set;
  REQUIRE(::sched_getaffinity(0, sizeof set, &set) == 0);
  std::vector<unsigned> cpus;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}

/// Whether another program could ask now.
bool is_locked() {
  const int program = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  REQUIRE(program >= 0);
  const bool locked = ::flock(program, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(program);
  return locked;
}

TEST_CASE("the program moves to the CPU that it asks, and has its affinity back at the end") {
  const std::vector<unsigned> home = allowed_cpus();
  Ports ports(kvmbench_interface{});
  for (const unsigned cpu : home) {
    REQUIRE(ports.turn_to(cpu));
    CHECK(allowed_cpus() == std::vector{cpu});
    CHECK(::sched_getcpu() == static_cast<int>(cpu));
  }
  ports.done();
  CHECK(allowed_cpus() == home);
}

TEST_CASE("a CPU that is not there cannot be asked") {
  const std::vector<unsigned> home = allowed_cpus();
  Ports ports(kvmbench_interface{});
  CHECK_FALSE(ports.turn_to(no_such_cpu));
  CHECK_FALSE(ports.turn_to(8191));  // within the set's size
  ports.done();
  CHECK(allowed_cpus() == home);
}

TEST_CASE("every CPU that the program may run on is among those to be asked") {
  const std::vector<unsigned> asked = Ports(kvmbench_interface{}).vcpus();
  for (const unsigned cpu : allowed_cpus()) CHECK(std::count(asked.begin(), asked.end(), cpu) == 1);
}

TEST_CASE("from the first CPU to the end no other program asks") {
  Ports ports(kvmbench_interface{});
  CHECK_FALSE(is_locked());
  const unsigned cpu = allowed_cpus()[0];
  REQUIRE(ports.turn_to(cpu));
  CHECK(is_locked());
  CHECK_FALSE(ports.turn_to(no_such_cpu));
  CHECK(is_locked());
  REQUIRE(ports.turn_to(cpu));
  CHECK(is_locked());
  ports.done();
  CHECK_FALSE(is_locked());
}

TEST_CASE("nobody asks for ports without the privilege") {
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr uid_t nobody = 65534;
    if (::geteuid() == 0 && ::setresuid(nobody, nobody, nobody) != 0) ::_exit(1);
    kvmbench_interface interface {};
    interface.first_port = KVMBENCH_DEFAULT_PORT;
    const int failure = Ports(interface).open();
    ::_exit(failure == EPERM || failure == ENOSYS ? 0 : 2);  // ENOSYS: a kernel without ioperm
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace kvmbench::guest
