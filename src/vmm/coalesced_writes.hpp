/// Writes that KVM gathers instead of returning for each: coalesced MMIO and port I/O.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "devices/bus.hpp"
#include "vmm/kvm.hpp"
#include "vmm/linux_kvm.hpp"
#include "vmm/vcpu.hpp"
#include "vmm/vm.hpp"

namespace kvmbench {

/// The ring of a VM (api.rst, KVM_REGISTER_COALESCED_MMIO), which all of its vCPUs share. A write that finds
/// it full is an exit. Devices get what has gathered, in its order, before anything else that an exit brings
/// them.
class CoalescedWrites final {
 public:
  struct Range {
    Vm::Space space;
    std::uint64_t first;
    std::uint32_t bytes;
    /// A guest may wait for what its write does without another exit: what has gathered is delivered every
    /// millisecond, too.
    bool awaited;
  };

  /// Before the interrupt controllers: each range later costs milliseconds. Throws HostError.
  CoalescedWrites(const Vm& vm, const std::vector<Range>& ranges);

  /// Once there is a vCPU, and before it runs; the buses and `io` outlive this.
  void start(const Kvm& kvm, const Vcpu& vcpu, const PortBus& ports, const MmioBus& mmio,
             boost::asio::io_context& io);

  /// To the devices, on the caller's thread; no lock of a device is held. Any thread.
  void deliver() noexcept;

 private:
  void wait();

  const bool awaited_;
  const PortBus* ports_ = nullptr;
  const MmioBus* mmio_ = nullptr;
  std::mutex mutex_;  ///< who delivers
  kvm_coalesced_mmio_ring* ring_ = nullptr;
  std::optional<boost::asio::steady_timer> timer_;
};

}  // namespace kvmbench
