#include "vmm/exit.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstring>

using namespace kvmbench;

namespace {

/// kvm_run with the page of port data that follows it.
struct Area {
  std::array<std::byte, 8192> bytes alignas(kvm_run){};
  kvm_run& run() { return *reinterpret_cast<kvm_run*>(bytes.data()); }
};

}  // namespace

TEST_CASE("a port access is counted by port, direction and width") {
  Area area;
  area.run().exit_reason = KVM_EXIT_IO;
  area.run().io.direction = KVM_EXIT_IO_OUT;
  area.run().io.size = 1;
  area.run().io.port = 0x3f8;
  area.run().io.count = 7;
  area.run().io.data_offset = 4096;
  const DecodedExit decoded = decode(area.run(), 0);
  const auto& exit = std::get<PioExit>(decoded.exit);
  CHECK(exit.port == 0x3f8);
  CHECK(exit.direction == Direction::write);
  CHECK(exit.data == area.bytes.data() + 4096);
  CHECK(decoded.transfers == 7);
  CHECK(decoded.key ==
        stats::ExitKey{.address = 0x3f8, .reason = 2, .phase = 0, .width = 1, .direction = Direction::write});
}

TEST_CASE("an MMIO access is counted by address, direction and width") {
  Area area;
  area.run().exit_reason = KVM_EXIT_MMIO;
  area.run().mmio.phys_addr = 0xd000'0050;
  area.run().mmio.len = 4;
  area.run().mmio.is_write = 0;
  const DecodedExit decoded = decode(area.run(), 0);
  CHECK(std::holds_alternative<MmioExit>(decoded.exit));
  CHECK(decoded.key ==
        stats::ExitKey{
            .address = 0xd000'0050, .reason = 6, .phase = 0, .width = 4, .direction = Direction::read});
}

TEST_CASE("an interrupted KVM_RUN is KVM_EXIT_INTR, whatever kvm_run still says") {
  Area area;
  area.run().exit_reason = KVM_EXIT_IO;
  const DecodedExit decoded = decode(area.run(), EINTR);
  CHECK(std::holds_alternative<InterruptedExit>(decoded.exit));
  CHECK(decoded.key.reason == 10);
}

TEST_CASE("a failed KVM_RUN is counted under its errno") {
  Area area;
  CHECK(std::holds_alternative<AgainExit>(decode(area.run(), EAGAIN).exit));
  const DecodedExit decoded = decode(area.run(), EFAULT);
  CHECK(std::get<FailedExit>(decoded.exit).error == EFAULT);
  CHECK(decoded.key.reason == (0x8000'0000u | EFAULT));
}

TEST_CASE("a reason that is not served keeps its number") {
  Area area;
  area.run().exit_reason = 63;
  const DecodedExit decoded = decode(area.run(), 0);
  CHECK(std::get<UnservedExit>(decoded.exit).reason == 63);
  CHECK(decoded.key.reason == 63);
}

TEST_CASE("an internal error is counted by its suberror") {
  Area area;
  area.run().exit_reason = KVM_EXIT_INTERNAL_ERROR;
  area.run().internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
  const DecodedExit decoded = decode(area.run(), 0);
  CHECK(std::get<InternalErrorExit>(decoded.exit).suberror == 1);
  CHECK(decoded.key.address == 1);
}

TEST_CASE("an MSR exit is counted by its index and direction") {
  Area area;
  area.run().exit_reason = KVM_EXIT_X86_WRMSR;
  area.run().msr.index = 0xc000'0080;
  const DecodedExit decoded = decode(area.run(), 0);
  CHECK(std::get<MsrExit>(decoded.exit).direction == Direction::write);
  CHECK(decoded.key.address == 0xc000'0080);
}
