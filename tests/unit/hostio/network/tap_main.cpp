// The tap tests run in a network namespace of their own, which is gone with them. Where the host permits
// none, or has no tap devices, the program says why and ends with the status that ctest takes for skipped.
#define CATCH_CONFIG_RUNNER
#include <fcntl.h>
#include <sched.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/unique_fd.hpp"

namespace {

constexpr int skipped = 77;

int skip(const char* what) {
  std::printf("skipped: %s: %s\n", what, std::strerror(errno));
  return skipped;
}

}  // namespace

int main(int argc, char* argv[]) {
  // A user namespace as well where this user may not have the other alone.
  if (::unshare(CLONE_NEWNET) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
    return skip("a network namespace");
  }
  if (!kvmbench::UniqueFd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC))) return skip("/dev/net/tun");
  return Catch::Session().run(argc, argv);
}
