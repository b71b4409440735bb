#include "guests/linux/sample.hpp"

#include <time.h>

#include <algorithm>
#include <utility>

#include "stats/exit_reason.hpp"
#include "stats/hardware_reasons.hpp"

namespace kvmbench::guest {
namespace {

constexpr std::uint32_t io_reason = KVMBENCH_USERSPACE_REASON + 2;  // KVM_EXIT_IO: what asking causes

double now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

std::vector<std::uint32_t> counted_reasons(const kvmbench_interface& interface) {
  std::vector<std::uint32_t> reasons;
  if ((interface.features & KVMBENCH_FEATURE_HARDWARE) != 0) {
    const auto vendor = static_cast<stats::Vendor>(kvmbench_vendor(&interface));
    for (const stats::ReasonText& text : stats::hardware_reasons(vendor)) reasons.push_back(text.reason);
  }
  for (std::uint32_t n = 0; n < KVMBENCH_USERSPACE_REASONS; ++n)
    reasons.push_back(KVMBENCH_USERSPACE_REASON + n);
  reasons.push_back(KVMBENCH_USERSPACE_REASON + KVMBENCH_USERSPACE_FURTHER);
  std::ranges::sort(reasons);  // SVM has negative ones, which are greater than those
  return reasons;
}

void ask_reasons(Questions& questions, const std::vector<std::uint32_t>& asked, VcpuCount& vcpu) {
  for (const std::uint32_t reason : asked) {
    const std::uint64_t before = questions.exits();
    const kvmbench_answer answer = questions.ask(KVMBENCH_LEAF_COUNT, reason);
    if (reason == io_reason) vcpu.own_exits = before;
    const std::uint64_t count = kvmbench_u64(answer.ebx, answer.eax);
    if (answer.edx == 0 && count != 0) vcpu.reasons.push_back({reason, count, 0});
  }
  for (ReasonCount& reason : vcpu.reasons) {
    const kvmbench_answer answer = questions.ask(KVMBENCH_LEAF_CYCLES, reason.reason);
    reason.cycles = kvmbench_u64(answer.ebx, answer.ecx);
  }
}

void add(Sample& sample, VcpuCount vcpu) {
  sample.own_exits += vcpu.own_exits;
  for (const ReasonCount& reason : vcpu.reasons) {
    const auto at = std::ranges::lower_bound(sample.reasons, reason.reason, {}, &ReasonCount::reason);
    if (at == sample.reasons.end() || at->reason != reason.reason) {
      sample.reasons.insert(at, reason);
    } else {
      at->count += reason.count;
      at->cycles += reason.cycles;
    }
  }
  sample.vcpus.push_back(std::move(vcpu));
}

const ReasonCount* find(const std::vector<ReasonCount>& reasons, std::uint32_t reason) {
  const auto at = std::ranges::find(reasons, reason, &ReasonCount::reason);
  return at != reasons.end() ? &*at : nullptr;
}

void subtract(std::vector<ReasonCount>& reasons, const std::vector<ReasonCount>& earlier) {
  for (ReasonCount& reason : reasons) {
    const ReasonCount* before = find(earlier, reason.reason);
    if (before == nullptr) continue;
    reason.count -= before->count;
    reason.cycles -= before->cycles;
  }
  std::erase_if(reasons, [](const ReasonCount& reason) { return reason.count == 0; });
}

}  // namespace

bool ReasonCount::is_userspace() const {
  return (reason & 0xffff'0000) == KVMBENCH_USERSPACE_REASON;
}

std::uint32_t ReasonCount::number() const {
  return is_userspace() ? reason & 0xffff : reason;
}

std::string ReasonCount::name(std::uint32_t vendor) const {
  if (!is_userspace()) {
    const stats::ReasonText* known = stats::hardware_reason(static_cast<stats::Vendor>(vendor), reason);
    return known != nullptr ? std::string(known->short_name) : "exit " + std::to_string(reason);
  }
  if (number() == KVMBENCH_USERSPACE_FURTHER) return "further";
  const auto known = stats::userspace_reasons();
  return number() < known.size() ? std::string(known[number()].short_name)
                                 : "exit " + std::to_string(number());
}

std::uint64_t Sample::exits() const {
  std::uint64_t sum = 0;
  for (const VcpuCount& vcpu : vcpus) sum += vcpu.exits;
  return sum;
}

std::uint64_t Sample::cycles() const {
  std::uint64_t sum = 0;
  for (const VcpuCount& vcpu : vcpus) sum += vcpu.cycles;
  return sum;
}

const ReasonCount* Sample::find(std::uint32_t reason) const {
  return guest::find(reasons, reason);
}

Sample take_sample(Questions& questions, const kvmbench_interface& interface, Detail detail) {
  Sample sample;
  sample.seconds = now();
  const std::vector<std::uint32_t> asked = counted_reasons(interface);
  for (const unsigned vcpu : questions.vcpus()) {
    if (!questions.turn_to(vcpu)) continue;
    const kvmbench_answer all = questions.ask(KVMBENCH_LEAF_ALL, 0);
    VcpuCount count{vcpu, kvmbench_u64(all.edx, all.eax), kvmbench_u64(all.ebx, all.ecx), /*own_exits=*/0,
                    /*reasons=*/{}};
    if (detail == Detail::reasons) ask_reasons(questions, asked, count);
    add(sample, std::move(count));
  }
  questions.done();
  return sample;
}

Sample operator-(const Sample& later, const Sample& earlier) {
  Sample difference = later;
  difference.seconds -= earlier.seconds;
  difference.own_exits -= earlier.own_exits;
  subtract(difference.reasons, earlier.reasons);
  for (VcpuCount& vcpu : difference.vcpus) {
    const auto before = std::ranges::find(earlier.vcpus, vcpu.vcpu, &VcpuCount::vcpu);
    if (before == earlier.vcpus.end()) continue;
    vcpu.exits -= before->exits;
    vcpu.cycles -= before->cycles;
    vcpu.own_exits -= before->own_exits;
    subtract(vcpu.reasons, before->reasons);
  }
  return difference;
}

}  // namespace kvmbench::guest
