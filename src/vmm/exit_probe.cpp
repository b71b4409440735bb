#include "vmm/exit_probe.hpp"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <span>

#include "base/error.hpp"

namespace kvmbench {
namespace {

constexpr std::size_t page_bytes = 4096;

UniqueFd make_event() {
  UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) throw HostError::from_errno("eventfd");
  return event;
}

}  // namespace

ExitProbe::ExitProbe(const Kvm& kvm, const Vm& vm, const GuestMemory& memory)
    : memory_(memory), doorbell_(make_event()) {
  if (kvm.extension(KVM_CAP_READONLY_MEM) > 0) {
    // Static: it is never written to, and KVM keeps its address as long as the VM lives.
    alignas(page_bytes) static std::array<std::byte, page_bytes> page{};
    vm.map_memory(read_only_page, page, KVM_MEM_READONLY);
  }
  const auto port = [](std::uint64_t offset) { return first_port + offset; };
  const auto mmio = [](std::uint64_t offset) { return registers.value + offset; };
  if (kvm.extension(KVM_CAP_IOEVENTFD) > 0) {
    vm.ring_on_access(doorbell_.get(), Vm::Space::ports, port(exact), 1, exact_value);
    vm.ring_on_access(doorbell_.get(), Vm::Space::memory, mmio(exact), 4, exact_value);
  }
  if (kvm.extension(KVM_CAP_IOEVENTFD_ANY_LENGTH) > 0) {
    vm.ring_on_access(doorbell_.get(), Vm::Space::ports, port(any_length), 0, {});
    vm.ring_on_access(doorbell_.get(), Vm::Space::memory, mmio(any_length), 0, {});
  }
}

std::vector<CoalescedWrites::Range> ExitProbe::coalesced_ranges(const Kvm& kvm) {
  std::vector<CoalescedWrites::Range> ranges;
  if (kvm.extension(KVM_CAP_COALESCED_MMIO) > 0)
    ranges.push_back({Vm::Space::memory, registers.value + coalesced, 8, false});
  if (kvm.extension(KVM_CAP_COALESCED_PIO) > 0)
    ranges.push_back({Vm::Space::ports, first_port + coalesced, 4, false});
  return ranges;
}

void ExitProbe::connect(const Kvm& kvm, const Vm& vm) {
  if (kvm.extension(KVM_CAP_IOEVENTFD_ANY_LENGTH) <= 0) return;
  interrupt_ = vm.edge_irqfd(gsi);
  vm.ring_on_access(interrupt_.get(), Vm::Space::ports, first_port + interrupt, 0, {});
}

void ExitProbe::attach(PortBus& ports, MmioBus& mmio) {
  ports.attach(first_port, size, *this);
  mmio.attach(registers.value, size, *this);
}

std::uint64_t ExitProbe::read(std::uint64_t, unsigned width) noexcept {
  return all_ones(width);
}

void ExitProbe::write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept {
  value &= all_ones(width);
  if (offset >= coalesced && offset < interrupt) gathered_.fetch_add(1, std::memory_order_relaxed);
  if (offset == record) take_record(Gpa{value});
  if (offset == word) taken_.fetch_add(value, std::memory_order_relaxed);
  if (offset == work) do_work(std::min<std::uint64_t>(value, most_work));
}

void ExitProbe::take_record(Gpa at) noexcept {
  std::array<std::uint32_t, 16> words{};
  if (!memory_.read(at, std::as_writable_bytes(std::span(words)))) return;
  std::uint64_t sum = 0;
  for (const std::uint32_t one : words) sum += one;
  taken_.fetch_add(sum, std::memory_order_relaxed);
}

void ExitProbe::do_work(std::uint64_t units) noexcept {
  constexpr unsigned steps_a_unit = 64;  // each waits for the one before: a few hundred cycles a unit
  std::uint64_t state = units | 1;
  for (std::uint64_t step = 0; step < units * steps_a_unit; ++step)
    state = state * 6364136223846793005u + 1442695040888963407u;
  taken_.fetch_add(state, std::memory_order_relaxed);
}

std::string ExitProbe::register_name(std::uint64_t offset, Direction) const {
  switch (offset) {
    case any_length:
      return "doorbell";
    case exact:
      return "exact doorbell";
    case coalesced:
      return "coalesced";
    case interrupt:
      return "interrupt";
    case record:
      return "record";
    case word:
      return "word";
    case work:
      return "work";
    default:
      return {};
  }
}

std::vector<Operation> ExitProbe::operations() const {
  return {{.name = "coalesced writes", .count = gathered_.load(std::memory_order_relaxed)}};
}

}  // namespace kvmbench
