#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "vmm/kvm.hpp"

using namespace kvmbench;
using Catch::Matchers::Contains;

TEST_CASE("a KVM with API version 12 and every required capability will do") {
  CHECK_NOTHROW(check_requirements(12, [](long) { return 1; }));
}

TEST_CASE("another API version is refused with both numbers") {
  CHECK_THROWS_WITH(check_requirements(11, [](long) { return 1; }),
                    Contains("version 11") && Contains("version 12"));
}

TEST_CASE("all missing capabilities are named at once, with what they are for") {
  const auto lacking = [](long capability) {
    return capability == KVM_CAP_IRQFD || capability == KVM_CAP_IMMEDIATE_EXIT ? 0 : 1;
  };
  CHECK_THROWS_AS(check_requirements(12, lacking), HostError);
  CHECK_THROWS_WITH(
      check_requirements(12, lacking),
      Contains("KVM_CAP_IRQFD (interrupts raised by an eventfd)") && Contains("KVM_CAP_IMMEDIATE_EXIT"));
}

TEST_CASE("what only an option needs is not required") {
  const auto lacking = [](long capability) { return capability == KVM_CAP_SPLIT_IRQCHIP ? 0 : 1; };
  CHECK_NOTHROW(check_requirements(12, lacking));
}
