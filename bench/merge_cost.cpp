// What it costs to add up 1000 reports of 200 keys, and to read as many. Prints a line "CASE MILLISECONDS"
// for each round of each case, the cases taking turns. Times are this thread's CPU time: other programs' load
// does not count.
//
// merge_cost ROUNDS; or, to have the reports as files, merge_cost --write DIRECTORY.
#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "report/formats.hpp"
#include "report/merge.hpp"

namespace {

using namespace kvmbench;

constexpr std::uint32_t exit_io = 2;
constexpr std::size_t reports = 1'000, keys = 200;
constexpr std::size_t different = 50;  // more than any cache holds
constexpr std::size_t to_read = 100;   // and times ten: reading takes long

double cpu_milliseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

/// Times are spread as those of a device's register are: some twenty buckets of each histogram.
report::Report sample(std::uint64_t seed) {
  report::Report report;
  report.snapshot.tsc_khz = 2'000'000;
  report.snapshot.phases.resize(1);
  stats::VcpuSnapshot& vcpu = report.snapshot.vcpus.emplace_back();
  for (std::size_t i = 0; i < keys; ++i) {
    stats::KeyStats& key = vcpu.keys.emplace_back();
    key.key = {
        .address = 0x1000 + i, .reason = exit_io, .phase = 0, .width = 1, .direction = Direction::write};
    report.set_name(key.key, {"device0", fmt::format("register {}", i)});
    for (std::uint64_t exit = 0; exit < 200; ++exit) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      key.service.add(2'000 + (seed >> 54));
      key.run.add(20'000 + (seed >> 50));
      ++key.count;
      ++vcpu.exits;
    }
    key.transfers = key.count;
  }
  return report;
}

void merge(const std::vector<report::Report>& samples) {
  report::Merger merger;
  for (std::size_t i = 0; i < reports; ++i) merger.add(samples[i % samples.size()], "report");
  if (merger.take().runs != reports) std::abort();
}

}  // namespace

int main(int argc, char** argv) {
  const bool write = argc == 3 && std::string_view(argv[1]) == "--write";
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 1;
  std::vector<report::Report> samples;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < different; ++i) {
    samples.push_back(sample(i));
    texts.push_back(report::to_json(samples.back()));
  }
  if (write) {
    for (std::size_t i = 0; i < texts.size(); ++i)
      report::write_file(fmt::format("{}/{}.json", argv[2], i), texts[i]);
    return 0;
  }
  for (int round = 0; round < rounds; ++round) {
    double began = cpu_milliseconds();
    merge(samples);
    fmt::print("merge {:.1f}\n", cpu_milliseconds() - began);
    began = cpu_milliseconds();
    for (std::size_t i = 0; i < to_read; ++i) (void)report::from_json(texts[i % texts.size()], "report");
    fmt::print("read {:.1f}\n", (cpu_milliseconds() - began) * (static_cast<double>(reports) / to_read));
  }
}
