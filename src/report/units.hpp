/// Figures as people read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace kvmbench::report {

/// "12,345,678".
[[nodiscard]] std::string grouped(std::uint64_t number);

/// Per cent with one decimal: "12.3"; "<0.1" for what would round to nothing, ">99.9" for what would round to
/// all,
/// "-" of nothing.
[[nodiscard]] std::string per_cent(std::uint64_t part, std::uint64_t whole);

/// Three significant digits at least: "0.0123", "1.50", "2,000"; "-" of nothing.
[[nodiscard]] std::string ratio(std::optional<double> value);

/// Three significant digits and a unit: "385 ns", "12.3 µs", "1.20 s".
[[nodiscard]] std::string duration(double seconds);

/// TSC cycles as times.
class Clock final {
 public:
  explicit Clock(std::uint64_t tsc_khz) : tsc_khz_(tsc_khz) {}

  /// Whether cycles can be told in seconds.
  [[nodiscard]] bool known() const { return tsc_khz_ != 0; }
  [[nodiscard]] double seconds(double cycles) const { return cycles / (static_cast<double>(tsc_khz_) * 1e3); }
  [[nodiscard]] double nanoseconds(double cycles) const {
    return cycles * 1e6 / static_cast<double>(tsc_khz_);
  }

  /// As a duration; in cycles where the frequency is not known.
  [[nodiscard]] std::string show(double cycles) const;
  [[nodiscard]] std::string show(std::uint64_t cycles) const { return show(static_cast<double>(cycles)); }

 private:
  std::uint64_t tsc_khz_;
};

}  // namespace kvmbench::report
