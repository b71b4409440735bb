#include "sample.hpp"

#include <linux/kvm.h>

#include <cerrno>

namespace kvmbench::report::testing {

using stats::Cycles;
using stats::ExitKey;
using stats::KeyStats;

namespace {

stats::TimeStats same(Cycles value, std::uint64_t times) {
  stats::TimeStats stats;
  stats.histogram.add(value, times);
  stats.sum = value * times;
  stats.min = stats.max = value;
  return stats;
}

stats::VcpuSnapshot vcpu(std::uint32_t number, std::initializer_list<KeyStats> keys) {
  stats::VcpuSnapshot snapshot{number, 0, keys};
  for (const KeyStats& key : snapshot.keys) snapshot.exits += key.count;
  return snapshot;
}

}  // namespace

KeyStats exits(const ExitKey& key, std::uint64_t times, Cycles service, Cycles run) {
  return {key, times, times, same(service, times), same(run, times)};
}

ExitKey port(std::uint16_t number, Direction direction, std::uint8_t width) {
  return {.address = number, .reason = KVM_EXIT_IO, .width = width, .direction = direction};
}

ExitKey of_reason(std::uint32_t reason, std::uint64_t address) {
  return {.address = address, .reason = reason};
}

ExitKey in_phase(ExitKey key, std::uint16_t phase) {
  key.phase = phase;
  return key;
}

Report report_of(std::initializer_list<KeyStats> keys) {
  Report report;
  report.kvmbench_version = "0.1.0";
  report.started = "2026-01-31T12:34:56Z";
  report.wall_seconds = 2.35;
  report.ending = "guest powered off";
  report.snapshot.began = 1'000;
  report.snapshot.taken = 2'350'001'000;
  report.snapshot.tsc_khz = 1'000'000;
  report.snapshot.phases = {{{}, 1'000}};
  report.snapshot.vcpus = {vcpu(0, keys)};
  return report;
}

Report rich_report() {
  using Kind = stats::PhaseLabel::Kind;
  const ExitKey thr = port(0x3f8, Direction::write, 1);
  const ExitKey unclaimed = port(0x1234, Direction::read, 4);
  const ExitKey notify{
      .address = 0xfeb0'0050, .reason = KVM_EXIT_MMIO, .width = 4, .direction = Direction::write};
  const ExitKey rdmsr{.address = 0xc000'0080, .reason = KVM_EXIT_X86_RDMSR, .direction = Direction::read};
  const ExitKey further{.address = stats::overflow_address, .reason = KVM_EXIT_IO};

  KeyStats string_output = exits(in_phase(thr, 1), 7, 900, 40'000);
  string_output.transfers = 700;
  Report report = report_of({});
  report.snapshot.phases = {{{}, 1'000},
                            {{Kind::post_code, 0x10, ""}, 5'000'000},
                            {{Kind::serial_match, 0, "log\x1b[2Jin: |\"a,b\""}, 900'000'000}};
  report.snapshot.vcpus = {
      vcpu(0, {exits(thr, 2'000, 3'000, 21'000), string_output, exits(unclaimed, 12, 700, 18'000),
               exits(in_phase(notify, 2), 30, 45'000, 90'000), exits(further, 5, 800, 20'000)}),
      vcpu(1, {exits(thr, 3, 2'500, 20'000), exits(in_phase(rdmsr, 2), 4, 1'100, 19'000),
               exits(of_reason(KVM_EXIT_HLT), 1, 600, 1'000'000'000), exits(of_reason(63, 5), 2, 400, 10'000),
               exits(of_reason(stats::error_reason | EAGAIN), 1, 300, 500)})};
  report.snapshot.vcpus[0].kernel_exits = 12'054;
  report.snapshot.vcpus[1].kernel_exits = 9;
  report.machine = {{"image", "@hello"}, {"command line", "root=/dev/vda|x \x1b]0;pwned\x07 `quiet`"}};
  report.host = {{"cpu", "Example CPU, 2.6 GHz"},
                 {"mitigations", "vulnerable: none; 12 not affecting this CPU"}};
  report.devices = {"uart0", "rtc", "virtio-blk0", "e1000.0"};
  report.snapshot.operations = {{"virtio-blk0", {{"requests", 60}, {"bytes", 245'760}}},
                                {"e1000.0", {{"packets", 0}}}};
  report.set_name(thr, {"uart0", "THR"});
  report.set_name(notify, {"virtio-blk0", "QueueNotify"});
  return report;
}

}  // namespace kvmbench::report::testing
