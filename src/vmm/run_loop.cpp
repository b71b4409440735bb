#include "vmm/run_loop.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <variant>

#include "base/tsc.hpp"
#include "kvmbench_abi.h"

namespace kvmbench {
namespace {

std::uint64_t load(const std::byte* data, unsigned width) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, data, std::min<std::size_t>(width, sizeof(value)));
  return value;
}

void store(std::byte* data, unsigned width, std::uint64_t value) noexcept {
  std::memcpy(data, &value, std::min<std::size_t>(width, sizeof(value)));
}

void access(BusTarget target, Direction direction, unsigned width, std::byte* data) noexcept {
  if (direction == Direction::write) {
    if (target.device != nullptr) target.device->write(target.offset, width, load(data, width));
  } else {
    store(data, width,
          target.device != nullptr ? target.device->read(target.offset, width) : all_ones(width));
  }
}

void access_string(BusTarget target, Direction direction, unsigned width,
                   std::span<std::byte> data) noexcept {
  if (direction == Direction::write) {
    if (target.device != nullptr) target.device->write_string(target.offset, width, data);
  } else if (target.device != nullptr) {
    target.device->read_string(target.offset, width, data);
  } else {
    std::fill(data.begin(), data.end(), std::byte{0xff});
  }
}

}  // namespace

bool RunLoop::run() noexcept {
  Next next = Next::enter;
  stats::Cycles entered = read_tsc();
  while (next == Next::enter) {
    const int error = vcpu_.run();
    const stats::Cycles left = read_tsc();
    const Served exit = serve_last(error);
    if (guard_ != nullptr) guard_->take_modified();
    const stats::Cycles served = read_tsc();
    recorder_.record(exit.key, left - entered, served - left, exit.transfers);
    if (guest_stats_ != nullptr) guest_stats_->recorded(exit.key.reason, served - left);
    if (sites_ != nullptr) sites_->record(exit.key, vcpu_.rip(), served - left);
    entered = served;
    next = exit.next;
  }
  return !failed_;
}

bool RunLoop::run_without_account() noexcept {
  Next next = Next::enter;
  while (next == Next::enter) next = serve_last(vcpu_.run()).next;
  return !failed_;
}

inline RunLoop::Served RunLoop::serve_last(int error) noexcept {
  kvm_run& area = vcpu_.area();
  const auto phase = phases_.current();  // before it is served: a mark still belongs to the phase it ends
  // The two kinds that come by the million go without the variant, and so without a visit through a table.
  if (error == 0 && area.exit_reason == KVM_EXIT_IO) {
    const PioExit exit = pio_exit(area);
    return {serve(exit), key_of(exit, phase), exit.count};
  }
  if (error == 0 && area.exit_reason == KVM_EXIT_MMIO) {
    const MmioExit exit = mmio_exit(area);
    return {serve(exit), key_of(exit, phase)};
  }
  DecodedExit decoded = decode(area, error);
  decoded.key.phase = phase;
  return {serve(decoded.exit), decoded.key, decoded.transfers};
}

RunLoop::Next RunLoop::serve(const Exit& exit) noexcept {
  return std::visit([this](const auto& one) { return serve(one); }, exit);
}

RunLoop::Next RunLoop::serve(const PioExit& exit) noexcept {
  if (coalesced_ != nullptr) coalesced_->deliver();
  const BusTarget target = ports_.find(exit.port);
  if (exit.count == 1) {
    access(target, exit.direction, exit.width, exit.data);
  } else {
    access_string(target, exit.direction, exit.width, {exit.data, std::size_t{exit.count} * exit.width});
  }
  return Next::enter;
}

RunLoop::Next RunLoop::serve(const MmioExit& exit) noexcept {
  if (coalesced_ != nullptr) coalesced_->deliver();
  if (guard_ != nullptr && guard_->covers(exit.address)) {
    if (guard_->serve(exit)) return Next::enter;
    events_.ended({.kind = Ending::Kind::protected_memory, .value = 0, .text = {}});
    return Next::stop;
  }
  access(mmio_.find(exit.address), exit.direction, exit.width, exit.data);
  return Next::enter;
}

RunLoop::Next RunLoop::serve(const MsrExit& exit) noexcept {
  // Only the MSRs of the guest's own view come here; others are KVM's. An error is #GP.
  const bool ours = guest_stats_ != nullptr && exit.direction == Direction::read;
  const auto value = ours ? guest_stats_->read_msr(exit.index - KVMBENCH_DEFAULT_MSR) : std::nullopt;
  exit.area->msr.data = value.value_or(0);
  exit.area->msr.error = value ? 0 : 1;
  return Next::enter;
}

RunLoop::Next RunLoop::serve(HltExit) noexcept {
  events_.ended({.kind = Ending::Kind::halted, .value = 0, .text = {}});
  return Next::stop;
}

RunLoop::Next RunLoop::serve(InterruptedExit) noexcept {
  return events_.stop_requested() ? Next::stop : Next::enter;
}

RunLoop::Next RunLoop::serve(AgainExit) noexcept {
  return Next::enter;
}

RunLoop::Next RunLoop::serve(IoApicEoiExit exit) noexcept {
  events_.end_of_interrupt(exit.vector);
  return Next::enter;
}

RunLoop::Next RunLoop::serve(DirtyRingFullExit) noexcept {
  return Next::enter;  // after take_modified()
}

RunLoop::Next RunLoop::serve(ShutdownExit) noexcept {
  return fail(Ending::Kind::triple_fault);
}

RunLoop::Next RunLoop::serve(FailEntryExit) noexcept {
  return fail(Ending::Kind::kvm_failure, "the CPU refused to enter the guest (KVM_EXIT_FAIL_ENTRY)");
}

RunLoop::Next RunLoop::serve(InternalErrorExit) noexcept {
  return fail(Ending::Kind::kvm_failure, "internal error (KVM_EXIT_INTERNAL_ERROR)");
}

RunLoop::Next RunLoop::serve(FailedExit exit) noexcept {
  return fail(Ending::Kind::kvm_failure, "KVM_RUN failed", exit.error);
}

RunLoop::Next RunLoop::serve(UnservedExit) noexcept {
  return fail(Ending::Kind::kvm_failure, "KVM_RUN returned for a reason that this machine does not serve");
}

RunLoop::Next RunLoop::fail(Ending::Kind kind, std::string_view text, int error) noexcept {
  failed_ = true;
  error_ = error;
  events_.ended({.kind = kind, .value = static_cast<std::uint32_t>(error), .text = text});
  return Next::stop;
}

}  // namespace kvmbench
