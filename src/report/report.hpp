/// A run's account as one value, which every output format renders and which the JSON format saves and reads
/// back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stats/memory_access.hpp"
#include "stats/snapshot.hpp"

namespace kvmbench::report {

/// Things worth knowing when two reports are compared, in the order they are shown ("cpu", "AMD EPYC").
using Facts = std::vector<std::pair<std::string, std::string>>;

/// Who answers behind an exit key.
struct KeyName {
  std::string device;         ///< "uart0"; "" where nobody answers
  std::string register_name;  ///< "THR"

  friend bool operator==(const KeyName&, const KeyName&) = default;
};

/// By reason, address, direction, width and phase.
struct KeyOrder {
  bool operator()(const stats::ExitKey& left, const stats::ExitKey& right) const noexcept;
};

/// What accesses the port or the address that a traced exit was for, which may have no exit to user space;
/// nothing of a detail of another kind.
[[nodiscard]] std::optional<stats::ExitKey> key_of(const stats::HardwareDetail& detail) noexcept;

struct Report {
  std::string kvmbench_version;
  std::string started;      ///< UTC, ISO 8601: "2026-01-31T12:34:56Z"
  double wall_seconds = 0;  ///< of the run
  Facts host;
  Facts machine;       ///< image, protocol, memory, vCPUs, irqchip, command line
  std::string ending;  ///< how it ended, in words: "guest powered off"
  int exit_status = 0;
  std::uint64_t runs = 1;  ///< merged in it
  stats::Snapshot snapshot;
  stats::GuardedAccount guarded{};   ///< what came to guarded memory; without ranges where none was
  std::vector<std::string> devices;  ///< of the machine, whether they were used or not; empty: not known

  /// The guest's functions at the addresses that exits came from; those known.
  std::map<std::uint64_t, std::string> symbols;

  /// A key's name is the same in all phases.
  void set_name(stats::ExitKey key, KeyName name);
  /// Empty where nobody answers.
  [[nodiscard]] KeyName name_of(stats::ExitKey key) const;
  [[nodiscard]] KeyName name_of(const stats::HardwareDetail& detail) const;

 private:
  std::map<stats::ExitKey, KeyName, KeyOrder> names_;  // with phase 0; those with a name only
};

}  // namespace kvmbench::report
