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
  const ExitKey halt = of_reason(KVM_EXIT_HLT);
  report.snapshot.vcpus[0].sites = {{{thr, 0x10'00b2}, 1'500, 4'500'000},
                                    {{thr, 0x10'0100}, 507, 1'521'000},
                                    {{notify, 0x20'0000}, 30, 1'350'000}};
  report.snapshot.vcpus[1].sites = {{{thr, 0x10'00b2}, 3, 7'500}, {{halt, 0x10'0500}, 1, 600}};
  report.symbols = {
      {0x10'00b2, "print_char+0x12"}, {0x10'0100, "print_char+0x60"}, {0x10'0500, "idle;<loop>"}};
  report.set_name(thr, {"uart0", "THR"});
  report.set_name(notify, {"virtio-blk0", "QueueNotify"});
  return report;
}

Report traced_report() {
  using stats::KernelCounter;
  using Kind = stats::HardwareDetail::Kind;
  const auto counter = [](const char* name, std::vector<std::uint64_t> values) {
    KernelCounter made;
    made.name = name;
    made.values = std::move(values);
    return made;
  };
  KernelCounter waits = counter("halt_wait_hist", {0, 0, 3, 1});
  waits.type = KernelCounter::Type::log_histogram;
  waits.unit = KernelCounter::Unit::seconds;
  waits.exponent = -9;
  KernelCounter wait = counter("halt_wait_ns", {1'500'000});
  wait.unit = KernelCounter::Unit::seconds;
  wait.exponent = -9;

  Report report = rich_report();
  stats::Snapshot& snapshot = report.snapshot;
  snapshot.counters = {counter("pages_4k", {17}), counter("mmu_unsync", {0})};
  snapshot.counters[0].type = KernelCounter::Type::instant;
  snapshot.vcpus[0].counters = {counter("exits", {12'054}), wait, waits};
  snapshot.vcpus[1].counters = {counter("exits", {9}), wait, waits};
  snapshot.tracer = {.events_without_thread = 0, .missed_events = 0, .absent_events = {"kvm_hypercall"}};

  constexpr std::uint32_t io = 0x7b, hlt = 0x78, npf = 0x400;
  stats::TracedExits& first = snapshot.vcpus[0].traced.emplace();
  first.vendor = stats::Vendor::svm;
  first.exits = 12'052;
  first.entries = 12'051;
  first.emulated = 30;
  first.reasons = {{io, 12'000, 2'024, same(2'000, 11'999), same(1'500, 2'023)},
                   {npf, 52, 30, same(5'000, 52), same(1'000, 30)}};
  first.details = {{{Kind::port, Direction::write, 1, 0x3f8}, 12'000, 11'999, 23'998'000},
                   {{Kind::page_fault, Direction::none, 0, 0xfea0'0000}, 52, 0, 0}};
  first.returns = {{KVM_EXIT_IO, 2'024}, {KVM_EXIT_MMIO, 30}};
  stats::TracedExits& second = snapshot.vcpus[1].traced.emplace();
  second.vendor = stats::Vendor::svm;
  second.exits = 9;
  second.entries = 9;
  second.without_detail = 2;
  second.reasons = {{hlt, 1, 0, same(1'000'000, 1), {}},
                    {io, 7, 3, same(2'000, 7), same(900, 3)},
                    {0xffff'ffff, 1, 1, same(700, 1), same(600, 1)}};
  second.returns = {{KVM_EXIT_IO, 3}, {KVM_EXIT_FAIL_ENTRY, 1}};
  return report;
}

}  // namespace kvmbench::report::testing
