#include "vmm/run_loop.hpp"

#include <algorithm>
#include <cstring>
#include <variant>

#include "base/tsc.hpp"

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

}  // namespace

bool RunLoop::run() noexcept {
  Next next = Next::enter;
  stats::Cycles entered = read_tsc();
  while (next == Next::enter) {
    const int error = vcpu_.run();
    const stats::Cycles left = read_tsc();
    DecodedExit decoded = decode(vcpu_.area(), error);
    decoded.key.phase = phases_.current();  // before it is served: a mark still belongs to the phase it ends
    next = serve(decoded.exit);
    const stats::Cycles served = read_tsc();
    recorder_.record(decoded.key, left - entered, served - left, decoded.transfers);
    entered = served;
  }
  return !failed_;
}

RunLoop::Next RunLoop::serve(const Exit& exit) noexcept {
  return std::visit([this](const auto& one) { return serve(one); }, exit);
}

RunLoop::Next RunLoop::serve(const PioExit& exit) noexcept {
  const BusTarget target = ports_.find(exit.port);
  std::byte* data = exit.data;
  for (std::uint32_t i = 0; i < exit.count; ++i, data += exit.width)
    access(target, exit.direction, exit.width, data);
  return Next::enter;
}

RunLoop::Next RunLoop::serve(const MmioExit& exit) noexcept {
  access(mmio_.find(exit.address), exit.direction, exit.width, exit.data);
  return Next::enter;
}

RunLoop::Next RunLoop::serve(const MsrExit& exit) noexcept {
  exit.area->msr.error = 1;  // #GP, as for an MSR that KVM itself does not know
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

RunLoop::Next RunLoop::serve(ShutdownExit) noexcept {
  return fail(Ending::Kind::triple_fault);
}

RunLoop::Next RunLoop::serve(FailEntryExit) noexcept {
  return fail(Ending::Kind::kvm_failure, "the CPU refused to enter the guest (KVM_EXIT_FAIL_ENTRY)");
}

RunLoop::Next RunLoop::serve(InternalErrorExit) noexcept {
  return fail(Ending::Kind::kvm_failure, "internal error (KVM_EXIT_INTERNAL_ERROR)");
}

RunLoop::Next RunLoop::serve(FailedExit) noexcept {
  return fail(Ending::Kind::kvm_failure, "KVM_RUN failed");
}

RunLoop::Next RunLoop::serve(UnservedExit) noexcept {
  return fail(Ending::Kind::kvm_failure, "KVM_RUN returned for a reason that this machine does not serve");
}

RunLoop::Next RunLoop::fail(Ending::Kind kind, std::string_view text) noexcept {
  failed_ = true;
  events_.ended({.kind = kind, .value = 0, .text = text});
  return Next::stop;
}

}  // namespace kvmbench
