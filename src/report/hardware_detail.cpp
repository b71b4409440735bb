#include "report/hardware_detail.hpp"

#include <fmt/format.h>

namespace kvmbench::report {

std::string place_of(const stats::HardwareDetail& detail) {
  using Kind = stats::HardwareDetail::Kind;
  switch (detail.kind) {
    case Kind::port:
      return fmt::format("port {:#x}", detail.value);
    case Kind::mmio:
      return fmt::format("gpa {:#x}", detail.value);
    case Kind::msr:
      return fmt::format("MSR {:#x}", detail.value);
    case Kind::cpuid:
      return fmt::format("CPUID leaf {:#x}", detail.value);
    case Kind::page_fault:
      return fmt::format("page fault {:#x}-{:#x}", detail.value, detail.value + (stats::fault_range - 1));
    case Kind::apic:
      return fmt::format("APIC register {:#x}", detail.value);
    case Kind::hypercall:
      return fmt::format("hypercall {}", detail.value);
  }
  return "?";
}

std::string direction_in_words(const stats::HardwareDetail& detail) {
  const bool port = detail.kind == stats::HardwareDetail::Kind::port;
  if (detail.direction == Direction::none) return {};
  return detail.direction == Direction::read ? (port ? "in" : "read") : (port ? "out" : "write");
}

}  // namespace kvmbench::report
