/// Reports for the tests of the formats.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "report/report.hpp"

namespace kvmbench::report::testing {

/// `times` exits of `key`, each of `service` cycles after `run` cycles in the guest.
[[nodiscard]] stats::KeyStats exits(const stats::ExitKey& key, std::uint64_t times, stats::Cycles service,
                                    stats::Cycles run);

[[nodiscard]] stats::ExitKey port(std::uint16_t number, Direction direction, std::uint8_t width);
[[nodiscard]] stats::ExitKey of_reason(std::uint32_t reason, std::uint64_t address = 0);
[[nodiscard]] stats::ExitKey in_phase(stats::ExitKey key, std::uint16_t phase);

/// One vCPU, one phase, 1 GHz (a cycle is a nanosecond), these keys; exits add up. The kernel keeps no count.
[[nodiscard]] Report report_of(std::initializer_list<stats::KeyStats> keys);

/// Two vCPUs, whose hardware exits the kernel counted, and three phases; a UART, an unclaimed port, MMIO, an
/// MSR, a full table, an unknown reason and an error; strings that want escaping; what two devices have
/// done.
[[nodiscard]] Report rich_report();

/// rich_report() with the kernel's counters, and with what a tracer saw on an AMD host: on vCPU 0, 12,052 of
/// the 12,054 exits that KVM counted; on vCPU 1, all 9.
[[nodiscard]] Report traced_report();

}  // namespace kvmbench::report::testing
