/// Registers that only measure KVM: doorbells, coalesced writes and read-only memory, without a device behind
/// them that would do any work. For guests of experiments, which know where they are (guests/prices.c).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.hpp"
#include "devices/bus.hpp"
#include "devices/device.hpp"
#include "vmm/coalesced_writes.hpp"
#include "vmm/kvm.hpp"
#include "vmm/vm.hpp"

namespace kvmbench {

/// What KVM serves without a return, as far as the host's KVM has it; what it has not, is an exit to this
/// device. Coalesced writes gather in a ring of KVM's (CoalescedWrites); they are counted when they come.
class ExitProbe final : public Device {
 public:
  static constexpr std::uint16_t first_port = 0x2f40;
  static constexpr Gpa registers{0xdf10'0000};
  static constexpr Gpa read_only_page{0xdf20'0000};
  static constexpr std::uint64_t size = 0x40;
  /// Offsets, the same on ports and in memory.
  enum Register : std::uint64_t {
    any_length = 0x00,  ///< a doorbell, by a write of any width and value
    exact = 0x08,       ///< a doorbell, by a write of `exact_value`: 1 byte on the port, 4 in memory
    coalesced = 0x10,   ///< writes gather
    interrupt = 0x18,   ///< on the port: a doorbell that is an edge on `gsi` too, without this program
    record = 0x20,      ///< takes the record of 64 bytes at the guest-physical address written
    word = 0x24,        ///< takes a word of a record
    work = 0x28,        ///< does so many units of work, `most_work` at most: an exit with a service time
  };
  static constexpr std::uint32_t exact_value = 0x5a;
  static constexpr unsigned gsi = 11;
  static constexpr std::uint32_t most_work = 4096;

  /// Where writes are to gather, as far as KVM can.
  [[nodiscard]] static std::vector<CoalescedWrites::Range> coalesced_ranges(const Kvm& kvm);

  /// Before the interrupt controllers. Throws HostError.
  ExitProbe(const Kvm& kvm, const Vm& vm, const GuestMemory& memory);

  /// Once there are interrupt controllers of KVM's (Irqchip::full).
  void connect(const Kvm& kvm, const Vm& vm);
  void attach(PortBus& ports, MmioBus& mmio);

  std::uint64_t read(std::uint64_t offset, unsigned width) noexcept override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept override;
  [[nodiscard]] std::string_view name() const override { return "exit-probe"; }
  [[nodiscard]] std::string register_name(std::uint64_t offset, Direction direction) const override;
  [[nodiscard]] std::vector<Operation> operations() const override;

 private:
  void take_record(Gpa at) noexcept;
  void do_work(std::uint64_t units) noexcept;

  const GuestMemory& memory_;
  UniqueFd doorbell_;
  UniqueFd interrupt_;
  std::atomic<std::uint64_t> gathered_{0};
  std::atomic<std::uint64_t> taken_{0};  // what is taken and worked on ends up in, so that it is done
};

}  // namespace kvmbench
