#include "vmm/ending.hpp"

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>

using namespace kvmbench;
using Kind = Ending::Kind;

TEST_CASE("each way a run can end has its exit status") {
  CHECK(exit_status({Kind::powered_off, 0, {}}) == 0);
  CHECK(exit_status({Kind::halted, 0, {}}) == 0);
  CHECK(exit_status({Kind::left, 0, {}}) == 0);
  CHECK(exit_status({Kind::kvm_failure, 0, "why"}) == 4);
  CHECK(exit_status({Kind::triple_fault, 0, {}}) == 5);
  CHECK(exit_status({Kind::reset, 0, "port"}) == 6);
  CHECK(exit_status({Kind::timeout, 0, {}}) == 124);
  CHECK(exit_status({Kind::signal, SIGINT, {}}) == 130);
  CHECK(exit_status({Kind::signal, SIGTERM, {}}) == 143);
}

TEST_CASE("a debug exit's status is the low 8 bits of what the guest wrote") {
  CHECK(exit_status({Kind::debug_exit, 0, {}}) == 0);
  CHECK(exit_status({Kind::debug_exit, 42, {}}) == 42);
  CHECK(exit_status({Kind::debug_exit, 0x1234'56ff, {}}) == 255);
}

TEST_CASE("an ending is described with what is known of it") {
  CHECK(describe({Kind::signal, SIGINT, {}}) == "stopped by SIGINT");
  CHECK(describe({Kind::reset, 0, "i8042"}) == "guest asked for a reset by i8042");
  CHECK(describe({Kind::debug_exit, 0x10, {}}) == "guest ended itself by the debug exit port with 0x10");
}

TEST_CASE("a failure of KVM is described with the error that KVM_RUN gave") {
  CHECK(describe({Kind::kvm_failure, 0, "internal error"}) == "KVM could not go on: internal error");
  CHECK(describe({Kind::kvm_failure, EFAULT, "KVM_RUN failed"}) ==
        "KVM could not go on: KVM_RUN failed: Bad address");
}
