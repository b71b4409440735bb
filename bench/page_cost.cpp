// What the guest's own view adds to each exit, on its vCPU's thread: the counting alone, and with the shared
// page kept, which is written anew and, for the count of all exits, asks the kernel. Prints a line "NAME
// NANOSECONDS" for each round of each case, the cases taking turns, in CPU time of the thread.
#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ctime>

#include "kvmbench_abi.h"
#include "memory/guest_memory.hpp"
#include "stats/recorder.hpp"
#include "vmm/guest_stats.hpp"
#include "vmm/memory_guard.hpp"

namespace {

using namespace kvmbench;

constexpr std::uint64_t calls = 100'000;
constexpr std::array<std::uint32_t, 4> reasons = {2, 6, 29, 10};  // io, mmio, rdmsr, intr

double cpu_nanoseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

double nanoseconds_an_exit(VcpuGuestStats& view) {
  const double begin = cpu_nanoseconds();
  for (std::uint64_t i = 0; i < calls; ++i) view.recorded(reasons[i % reasons.size()], 100);
  return (cpu_nanoseconds() - begin) / static_cast<double>(calls);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 20;
  const Kvm kvm;
  const GuestMemory memory(1 << 20);
  const MemoryGuard guard(memory, {});
  const Vm vm(kvm, guard);
  const Vcpu vcpu(kvm, vm, 0);
  const stats::Recorder recorder(0);
  const stats::HardwareAccount hardware = stats::HardwareAccount::of({}, false);
  const std::optional<trace::CounterFile> kernel = trace::CounterFile::open(vcpu.stats());
  alignas(4096) static std::array<std::byte, KVMBENCH_PAGE_BYTES> pages[2];
  const auto view = [&](std::size_t page, const trace::CounterFile* counter) {
    return VcpuGuestStats({vcpu, recorder, counter}, pages[page], hardware);
  };
  VcpuGuestStats with_kernel = view(0, kernel ? &*kernel : nullptr);
  VcpuGuestStats without_kernel = view(1, nullptr);
  ExitCountPage& page = *with_kernel.port_view().page;
  without_kernel.port_view().page->keep(true);
  for (int round = 0; round < rounds; ++round) {
    page.keep(false);
    fmt::print("not-kept {:.3f}\n", nanoseconds_an_exit(with_kernel));
    page.keep(true);
    if (kernel) fmt::print("kept {:.3f}\n", nanoseconds_an_exit(with_kernel));
    fmt::print("kept-without-kernel {:.3f}\n", nanoseconds_an_exit(without_kernel));
  }
}
