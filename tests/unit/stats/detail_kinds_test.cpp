#include "stats/detail_kinds.hpp"

#include <linux/kvm.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <initializer_list>

namespace kvmbench::stats {
namespace {

using Kind = HardwareDetail::Kind;

bool has(std::span<const Kind> kinds, Kind kind) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

bool one(std::span<const Kind> kinds, Kind kind) {
  return kinds.size() == 1 && kinds.front() == kind;
}

/// The reason of that short name.
std::uint32_t reason_named(Vendor vendor, std::string_view name) {
  for (const ReasonText& reason : hardware_reasons(vendor)) {
    if (reason.short_name == name) return reason.reason;
  }
  FAIL("no reason " << name);
  return 0;
}

TEST_CASE("an exit's reason tells which kinds of detail it has, by the vendor's names") {
  const auto vmx = [](const char* name) {
    return detail_kinds(Vendor::vmx, reason_named(Vendor::vmx, name));
  };
  const auto svm = [](const char* name) {
    return detail_kinds(Vendor::svm, reason_named(Vendor::svm, name));
  };
  CHECK(one(vmx("IO_INSTRUCTION"), Kind::port));
  CHECK(one(svm("IOIO"), Kind::port));
  CHECK(one(vmx("CPUID"), Kind::cpuid));
  CHECK(one(svm("CPUID"), Kind::cpuid));
  CHECK(one(vmx("VMCALL"), Kind::hypercall));
  CHECK(one(svm("VMMCALL"), Kind::hypercall));
  for (const char* name : {"EPT_VIOLATION", "EPT_MISCONFIG", "EXCEPTION_NMI"}) {
    CHECK(has(vmx(name), Kind::page_fault));
    CHECK(has(vmx(name), Kind::mmio));
  }
  CHECK(has(svm("NPF"), Kind::page_fault));
  CHECK(has(vmx("MSR_READ"), Kind::msr));
  CHECK(has(vmx("MSR_WRITE"), Kind::apic));
  CHECK(has(svm("MSR"), Kind::msr));
  for (const char* name : {"APIC_ACCESS", "EOI_INDUCED", "APIC_WRITE"}) CHECK(one(vmx(name), Kind::apic));
  CHECK(vmx("HLT").empty());
  CHECK(svm("HLT").empty());
}

TEST_CASE("VMX's flags beside a reason do not matter, and of an unknown vendor nothing is known") {
  CHECK(one(detail_kinds(Vendor::vmx, 30 | vmx_bus_lock), Kind::port));
  CHECK(detail_kinds(Vendor::unknown, 30).empty());
  CHECK(detail_kinds(Vendor::svm, 0xffff'ffff).empty());
}

TEST_CASE("returns of KVM_RUN have details likewise") {
  CHECK(one(detail_kinds_of_return(KVM_EXIT_IO), Kind::port));
  CHECK(one(detail_kinds_of_return(KVM_EXIT_MMIO), Kind::mmio));
  CHECK(one(detail_kinds_of_return(KVM_EXIT_HYPERCALL), Kind::hypercall));
  CHECK(one(detail_kinds_of_return(KVM_EXIT_X86_RDMSR), Kind::msr));
  CHECK(one(detail_kinds_of_return(KVM_EXIT_X86_WRMSR), Kind::msr));
  CHECK(detail_kinds_of_return(KVM_EXIT_HLT).empty());
}

}  // namespace
}  // namespace kvmbench::stats
