// What one call of stats::Recorder::record costs, and one TSC read. Prints a line "NAME NANOSECONDS" for each
// round of each case, the cases taking turns. Times are this thread's CPU time: other programs' load does not
// count.
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <ctime>

#include "base/tsc.hpp"
#include "stats/recorder.hpp"

namespace {

using kvmbench::Direction;
using kvmbench::stats::ExitKey;
using kvmbench::stats::Recorder;

constexpr std::uint32_t exit_io = 2, exit_mmio = 6;
constexpr std::uint64_t calls = 500'000;

double cpu_nanoseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

template <typename Call>
double nanoseconds_a_call(const Call& call) {
  const double begin = cpu_nanoseconds();
  for (std::uint64_t i = 0; i < calls; ++i) call(i);
  return (cpu_nanoseconds() - begin) / static_cast<double>(calls);
}

/// Times as exits have them: thousands of cycles that differ from exit to exit, some far longer.
std::array<std::uint64_t, 1024> some_times(std::uint64_t least) {
  std::array<std::uint64_t, 1024> times{};
  std::uint64_t random = 1;
  for (std::uint64_t& time : times) {
    random = random * 6364136223846793005 + 1442695040888963407;  // Knuth's MMIX generator
    const std::uint64_t noise = random >> 33;
    time = least + noise % least + (noise % 64 == 0 ? least * 20 : 0);
  }
  return times;
}

ExitKey key(std::uint32_t reason, std::uint64_t address, Direction direction, std::uint8_t width) {
  return {.address = address, .reason = reason, .phase = 0, .width = width, .direction = direction};
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 20;
  const std::array<ExitKey, 5> keys = {
      key(exit_io, 0x3f8, Direction::write, 1), key(exit_io, 0x3fd, Direction::read, 1),
      key(exit_mmio, 0xd0000050, Direction::write, 4), key(exit_io, 0x70, Direction::write, 1),
      key(exit_io, 0x71, Direction::read, 1)};
  const auto run_times = some_times(4000);
  const auto service_times = some_times(100);
  Recorder one(0), several(0);
  volatile std::uint64_t tsc = 0;
  for (int round = 0; round < rounds; ++round) {
    fmt::print("one-key {:.3f}\n", nanoseconds_a_call([&](std::uint64_t i) {
                 one.record(keys[0], run_times[i % 1024], service_times[i % 1024]);
               }));
    fmt::print("five-keys {:.3f}\n", nanoseconds_a_call([&](std::uint64_t i) {
                 several.record(keys[i % keys.size()], run_times[i % 1024], service_times[i % 1024]);
               }));
    fmt::print("tsc-read {:.3f}\n", nanoseconds_a_call([&](std::uint64_t) { tsc = kvmbench::read_tsc(); }));
  }
}
