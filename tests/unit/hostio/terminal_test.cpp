#include "hostio/terminal.hpp"

#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>

#include <csignal>
#include <cstring>

#include "base/error.hpp"
#include "pty.hpp"

using namespace kvmbench;
using namespace kvmbench::hostio;

namespace {

/// Without padding: c_line and the speeds are not what this is about.
bool same_mode(const termios& a, const termios& b) {
  return a.c_iflag == b.c_iflag && a.c_oflag == b.c_oflag && a.c_cflag == b.c_cflag &&
         a.c_lflag == b.c_lflag && std::memcmp(a.c_cc, b.c_cc, sizeof a.c_cc) == 0;
}

}  // namespace

TEST_CASE("a raw terminal gives every key at once and unchanged, and still processes output") {
  const Pty pty;
  const RawTerminal terminal(pty.slave.get());
  const termios raw = mode_of(pty.slave.get());
  CHECK((raw.c_lflag & (ICANON | ECHO | ISIG | IEXTEN)) == 0);
  CHECK((raw.c_iflag & (ICRNL | INLCR | IGNCR | IXON | ISTRIP | BRKINT)) == 0);
  CHECK((raw.c_cflag & CSIZE) == CS8);
  CHECK((raw.c_oflag & OPOST) != 0);
  CHECK(raw.c_cc[VMIN] == 1);
  CHECK(raw.c_cc[VTIME] == 0);
}

TEST_CASE("a terminal gets the mode back that it had") {
  const Pty pty;
  termios before = mode_of(pty.slave.get());
  before.c_cc[VERASE] = 0x08;
  REQUIRE(::tcsetattr(pty.slave.get(), TCSANOW, &before) == 0);
  SECTION("from the destructor") {
    const RawTerminal terminal(pty.slave.get());
  }
  SECTION("from a process that aborts") {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      const RawTerminal terminal(pty.slave.get());
      if (same_mode(mode_of(pty.slave.get()), before)) ::_exit(1);  // never was raw
      std::abort();
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGABRT);
  }
  CHECK(same_mode(mode_of(pty.slave.get()), before));
}

TEST_CASE("a second raw terminal is refused and the first one's mode is not forgotten") {
  const Pty pty;
  const termios before = mode_of(pty.slave.get());
  {
    const RawTerminal terminal(pty.slave.get());
    CHECK_THROWS_AS(RawTerminal(pty.slave.get()), UsageError);
  }
  CHECK(same_mode(mode_of(pty.slave.get()), before));
}

TEST_CASE("what is not a terminal is refused") {
  const FdPair pipe = make_pipe();
  CHECK_THROWS_AS(RawTerminal(pipe.read.get()), HostError);
}

TEST_CASE("a terminal of another session stops nobody") {
  const Pty pty;
  CHECK_FALSE(in_background(pty.slave.get()));
}
