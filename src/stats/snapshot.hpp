/// Counts and times as values: what reports, live views, the guest interface and exports all read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stats/exit_key.hpp"
#include "stats/exit_site.hpp"
#include "stats/kernel_counter.hpp"
#include "stats/time_stats.hpp"
#include "stats/traced_exits.hpp"

namespace kvmbench::stats {

struct KeyStats {
  ExitKey key;
  std::uint64_t count = 0;
  std::uint64_t transfers = 0;  ///< data elements moved: a `rep outsb` exit moves many
  TimeStats service;            ///< return of KVM_RUN to the next KVM_RUN
  TimeStats run;                ///< in KVM_RUN before this exit

  /// Adds counts and times; the key stays.
  KeyStats& operator+=(const KeyStats& other) noexcept;
  /// What has come since `earlier`, an earlier state of the same key.
  KeyStats& operator-=(const KeyStats& earlier) noexcept;
  friend bool operator==(const KeyStats&, const KeyStats&) = default;
};

struct VcpuSnapshot {
  std::uint32_t vcpu = 0;
  std::uint64_t exits = 0;  ///< returns of KVM_RUN recorded
  std::vector<KeyStats> keys;
  /// The kernel's own count of this vCPU's exits, those it served itself included; nothing where it keeps
  /// none.
  std::optional<std::uint64_t> kernel_exits{};
  KernelCounters counters{};            ///< the kernel's, kernel_exits among them; empty where it keeps none
  std::optional<TracedExits> traced{};  ///< what the tracer saw; nothing where there was none
  std::vector<SiteStats> sites{};       ///< where in the guest they came from; empty unless that was recorded

  friend bool operator==(const VcpuSnapshot&, const VcpuSnapshot&) = default;
};

/// What began a phase of the run.
struct PhaseLabel {
  enum class Kind : std::uint8_t {
    start,
    post_code,
    mark,
    named,
    userspace_output,
    serial_match,
    power_off,
    further
  };
  Kind kind = Kind::start;
  std::uint32_t value = 0;  ///< of a post_code (8 bits) or mark (32 bits)
  std::string text;         ///< of a named phase: its name; of a serial_match: the expression

  /// "start", "post 0x10", "mark 0x1234", the name, "userspace output", "serial /login:/", "power-off",
  /// "further phases".
  [[nodiscard]] std::string name() const;
  friend bool operator==(const PhaseLabel&, const PhaseLabel&) = default;
};

struct Phase {
  PhaseLabel label;
  Cycles first_began = 0;  ///< TSC at its first mark
  friend bool operator==(const Phase&, const Phase&) = default;
};

/// What a device has done, by its own count: "requests", "bytes".
struct OperationCount {
  std::string name;
  std::uint64_t count = 0;
  friend bool operator==(const OperationCount&, const OperationCount&) = default;
};
struct DeviceOperations {
  std::string device;  ///< its name in the keys' names
  std::vector<OperationCount> counts;
  friend bool operator==(const DeviceOperations&, const DeviceOperations&) = default;
};

/// What a tracer could not do, whoever's exits these would have been.
struct TracerState {
  std::uint64_t events_without_thread = 0;  ///< for whose thread there was no room
  std::uint64_t missed_events = 0;          ///< for which no program was run
  std::vector<std::string> absent_events;   ///< that the kernel does not have

  friend bool operator==(const TracerState&, const TracerState&) = default;
};

struct Snapshot {
  Cycles began = 0;  ///< TSC when the run began
  Cycles taken = 0;  ///< TSC when this was taken
  std::uint64_t tsc_khz = 0;
  std::vector<Phase> phases;  ///< by ExitKey::phase
  std::vector<VcpuSnapshot> vcpus;
  std::vector<DeviceOperations> operations{};  ///< of the devices that count any
  KernelCounters counters{};                   ///< the kernel's of the VM as a whole
  std::optional<TracerState> tracer{};         ///< nothing where there was none

  [[nodiscard]] std::uint64_t exits() const noexcept;
  /// Over all vCPUs; nothing unless the kernel counts those of each.
  [[nodiscard]] std::optional<std::uint64_t> kernel_exits() const noexcept;
  /// The kernel's counters of all vCPUs, added up.
  [[nodiscard]] KernelCounters vcpu_counters() const;
  /// What the tracer saw of all vCPUs, added up; nothing where it saw none.
  [[nodiscard]] std::optional<TracedExits> traced() const;
  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

/// Sums over vCPUs, in ascending order of phase, reason, address, width and direction. Where phases are
/// merged, the keys' phase is 0.
enum class Phases { kept, merged };
[[nodiscard]] std::vector<KeyStats> by_key(const Snapshot& snapshot, Phases phases);

struct ReasonStats {
  std::uint32_t reason = 0;
  std::uint64_t count = 0;
  std::uint64_t transfers = 0;
  TimeStats service;
  TimeStats run;

  friend bool operator==(const ReasonStats&, const ReasonStats&) = default;
};
/// Sums of `keys` by reason, in ascending order of reason.
[[nodiscard]] std::vector<ReasonStats> by_reason(const std::vector<KeyStats>& keys);

/// What has come between two snapshots of one run, which began when `earlier` was taken. Keys and operations
/// that did not grow are left out, vCPUs are not.
[[nodiscard]] Snapshot operator-(const Snapshot& later, const Snapshot& earlier);

}  // namespace kvmbench::stats
