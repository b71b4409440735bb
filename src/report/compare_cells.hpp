/// The figures of a comparison as its text and Markdown show them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/compare.hpp"
#include "report/units.hpp"

namespace kvmbench::report {

/// "A", "B", ...: what tables call the sides.
[[nodiscard]] std::string letter_of(std::size_t side);

class ComparisonCells final {
 public:
  explicit ComparisonCells(const Comparison& comparison) : comparison_(comparison) {}

  /// Ratios are of two sides.
  [[nodiscard]] bool has_ratios() const { return comparison_.sides.size() == 2; }
  /// Whether a side was traced.
  [[nodiscard]] bool has_hardware() const { return !comparison_.hardware_reasons.empty(); }

  // What a side has, divided where the comparison divides; "-" where it has nothing.
  [[nodiscard]] std::string count(std::size_t side, const std::optional<std::uint64_t>& count) const;
  [[nodiscard]] std::string count(std::size_t side, const std::optional<Sums>& sums) const;
  [[nodiscard]] std::string service(std::size_t side, const std::optional<Sums>& sums) const;

  // The second side's by the first's.
  [[nodiscard]] std::string count_ratio(const ComparedRow& row) const;
  [[nodiscard]] std::string service_ratio(const ComparedRow& row) const;

  // The same of hardware exits.
  [[nodiscard]] std::string count(std::size_t side, const std::optional<HardwareSums>& sums) const;
  [[nodiscard]] std::string out_of_guest(std::size_t side, const std::optional<HardwareSums>& sums) const;
  [[nodiscard]] std::string count_ratio(const ComparedHardwareRow& row) const;
  [[nodiscard]] std::string time_ratio(const ComparedHardwareRow& row) const;

  /// "ata0, ata1"; "-" where a side has none.
  [[nodiscard]] static std::string devices(const std::optional<ServiceSide>& of);
  /// For one operation of the side's: exits, service time and out-of-guest time at its devices, and all exits
  /// of the run.
  struct Each {
    std::string exits, service, out_of_guest, all_exits, hardware_exits;
  };
  [[nodiscard]] Each each(std::size_t side, const std::optional<ServiceSide>& of) const;

  /// "run of 2026-01-31T12:34:56Z, guest powered off after 2.35 s, exit status 0; paging ept".
  [[nodiscard]] std::string description(std::size_t side) const;
  /// "", or ", divided by requests (10,000)".
  [[nodiscard]] std::string divided() const;
  /// What the totals come to, and what is on one side alone.
  [[nodiscard]] std::vector<std::string> sentences() const;

 private:
  [[nodiscard]] std::string hardware_exits() const;
  [[nodiscard]] std::string hardware_ratio(const ComparedHardwareRow& row,
                                           std::uint64_t HardwareSums::*figure) const;
  [[nodiscard]] std::string ratio_each(std::optional<double> all) const;
  [[nodiscard]] std::string divided(std::size_t side, std::uint64_t count) const;
  [[nodiscard]] Clock clock(std::size_t side) const;

  const Comparison& comparison_;
};

}  // namespace kvmbench::report
