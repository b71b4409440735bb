/// A pseudoterminal in the place of the user's terminal.
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>

#include "support.hpp"

namespace kvmbench::hostio {

struct Pty {
  UniqueFd user{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
  UniqueFd slave;

  Pty() {
    REQUIRE(user);
    REQUIRE(::grantpt(user.get()) == 0);
    REQUIRE(::unlockpt(user.get()) == 0);
    slave.reset(::open(::ptsname(user.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    REQUIRE(slave);
  }
};

inline termios mode_of(int fd) {
  termios mode{};
  REQUIRE(::tcgetattr(fd, &mode) == 0);
  return mode;
}

}  // namespace kvmbench::hostio
