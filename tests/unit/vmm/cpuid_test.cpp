#include "vmm/cpuid.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/error.hpp"

using namespace kvmbench;

namespace {

using Entries = std::vector<kvm_cpuid_entry2>;

kvm_cpuid_entry2 entry(std::uint32_t leaf, std::uint32_t subleaf = 0) {
  kvm_cpuid_entry2 made{};
  made.function = leaf;
  made.index = subleaf;
  return made;
}

const kvm_cpuid_entry2& find(const Entries& entries, std::uint32_t leaf, std::uint32_t subleaf = 0) {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const kvm_cpuid_entry2& one) {
    return one.function == leaf && one.index == subleaf;
  });
  REQUIRE(found != entries.end());
  return *found;
}

constexpr std::uint32_t bit(unsigned number) {
  return 1u << number;
}

}  // namespace

TEST_CASE("a feature's name stands for its CPUID bit") {
  const CpuidBit avx2 = parse_cpuid_bit("avx2");
  CHECK(avx2.leaf == 7);
  CHECK(avx2.subleaf == 0);
  CHECK(avx2.reg == CpuidRegister::ebx);
  CHECK(avx2.bit == 5);
}

TEST_CASE("any bit can be named by its place") {
  const CpuidBit place = parse_cpuid_bit("0xd.1:eax.3");
  CHECK(place.leaf == 0xd);
  CHECK(place.subleaf == 1);
  CHECK(place.reg == CpuidRegister::eax);
  CHECK(place.bit == 3);
  CHECK(parse_cpuid_bit("7:edx.31").bit == 31);
}

TEST_CASE("what is neither a name nor a place is refused") {
  for (const char* text : {"", "nonsense", "7:ebx.32", "7:abx.1", "7:ebx", "7.:ebx.1", ":ebx.1", "0x:ebx.1",
                           "-1:ebx.1", "7.0.0:ebx.1", "99999999999:ebx.1"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_cpuid_bit(text), UsageError);
  }
}

TEST_CASE("leaf 1 gives each vCPU its APIC ID, the package its size and the guest a hypervisor") {
  const Entries entries =
      cpuid_of_vcpu({entry(1)}, 2, {.cpus = 3, .irqchip = Irqchip::full, .tsc_deadline = true, .masked = {}});
  const kvm_cpuid_entry2& leaf = find(entries, 1);
  CHECK((leaf.ebx >> 24) == 2);
  CHECK(((leaf.ebx >> 16) & 0xff) == 4);  // IDs a package may have: 3 rounded up to a power of two
  CHECK((leaf.ecx & bit(31)) != 0);
  CHECK((leaf.ecx & bit(24)) != 0);  // TSC deadline
  CHECK((leaf.ecx & bit(21)) != 0);  // x2APIC
  CHECK((leaf.edx & bit(9)) != 0);   // APIC
  CHECK((leaf.edx & bit(28)) != 0);  // HTT
}

TEST_CASE("a single vCPU has no other logical processors") {
  const Entries entries = cpuid_of_vcpu({entry(1), entry(0x8000'0008)}, 0, {});
  CHECK((find(entries, 1).edx & bit(28)) == 0);
  CHECK(((find(entries, 1).ebx >> 16) & 0xff) == 1);
  CHECK((find(entries, 0x8000'0008).ecx & 0xff) == 0);
}

TEST_CASE("a machine without interrupt controllers shows none") {
  kvm_cpuid_entry2 features = entry(0x4000'0001);
  features.eax = ~0u;
  const Entries entries = cpuid_of_vcpu(
      {entry(1), features}, 0, {.cpus = 1, .irqchip = Irqchip::none, .tsc_deadline = true, .masked = {}});
  CHECK((find(entries, 1).ecx & (bit(24) | bit(21))) == 0);
  CHECK((find(entries, 1).edx & bit(9)) == 0);
  CHECK((find(entries, 0x4000'0001).eax & bit(6)) == 0);  // PV EOI
  CHECK((find(entries, 0x4000'0001).eax & bit(3)) != 0);  // kvmclock needs no APIC
}

TEST_CASE("the topology leaves tell cores of one package apart by APIC ID") {
  const Entries entries =
      cpuid_of_vcpu({entry(0xb), entry(0x1f)}, 5,
                    {.cpus = 6, .irqchip = Irqchip::full, .tsc_deadline = true, .masked = {}});
  for (const std::uint32_t leaf : {0xbu, 0x1fu}) {
    CAPTURE(leaf);
    const kvm_cpuid_entry2& thread = find(entries, leaf, 0);
    CHECK(thread.eax == 0);
    CHECK(thread.ebx == 1);
    CHECK(thread.ecx == 0x100);
    const kvm_cpuid_entry2& core = find(entries, leaf, 1);
    CHECK(core.eax == 3);  // 6 cores need 3 bits
    CHECK(core.ebx == 6);
    CHECK(core.ecx == 0x201);
    CHECK(find(entries, leaf, 2).ecx == 2);  // level type 0: no further level
    CHECK(core.edx == 5);
  }
}

TEST_CASE("a topology leaf that KVM does not support is not made up") {
  const Entries entries = cpuid_of_vcpu({entry(1)}, 0, {});
  CHECK(entries.size() == 1);
}

TEST_CASE("the last-level cache is shared by all cores, the others by none") {
  kvm_cpuid_entry2 l2 = entry(4, 2), l3 = entry(4, 3);
  l2.eax = (2u << 5) | (7u << 14);
  l3.eax = 3u << 5;
  const Entries entries =
      cpuid_of_vcpu({l2, l3}, 0, {.cpus = 4, .irqchip = Irqchip::full, .tsc_deadline = true, .masked = {}});
  CHECK(((find(entries, 4, 2).eax >> 14) & 0xfff) == 0);
  CHECK(((find(entries, 4, 3).eax >> 14) & 0xfff) == 3);
}

TEST_CASE("AMD's leaves agree with the topology") {
  const Entries entries =
      cpuid_of_vcpu({entry(0x8000'0001), entry(0x8000'0008), entry(0x8000'001e)}, 3,
                    {.cpus = 4, .irqchip = Irqchip::full, .tsc_deadline = true, .masked = {}});
  CHECK((find(entries, 0x8000'0001).ecx & bit(1)) != 0);
  CHECK((find(entries, 0x8000'0008).ecx & 0xff) == 3);
  CHECK(((find(entries, 0x8000'0008).ecx >> 12) & 0xf) == 2);
  CHECK(find(entries, 0x8000'001e).eax == 3);
  CHECK((find(entries, 0x8000'001e).ebx & 0xff) == 3);
}

TEST_CASE("masked bits are hidden, and only they") {
  kvm_cpuid_entry2 leaf = entry(7);
  leaf.ebx = ~0u;
  const Entries entries = cpuid_of_vcpu(
      {leaf}, 0,
      {.cpus = 1, .irqchip = Irqchip::full, .tsc_deadline = true, .masked = {parse_cpuid_bit("avx2")}});
  CHECK(find(entries, 7).ebx == ~bit(5));
}
