/// What a live view shows at one moment: rows, whatever it is that they count.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kvmbench::live {

enum class Grouping { reason, key, vcpu };

struct Row {
  std::string name;
  std::uint64_t id = 0;     ///< of a reason: what Moment::rows() knows it by
  std::uint64_t total = 0;  ///< exits since the run began
  double rate = 0;          ///< exits a second, of late
  std::optional<double>
      time_share{};        ///< of the time of all exits of late, 0 to 1; nothing where none is taken
  double p99_seconds = 0;  ///< of late; 0 where nothing came or no time is known
};

class Moment {
 public:
  Moment() = default;
  Moment(const Moment&) = delete;
  Moment& operator=(const Moment&) = delete;
  virtual ~Moment() = default;

  /// One row a reason, key or vCPU that has had exits, in no order; with `only_reason`, of this reason alone.
  [[nodiscard]] virtual std::vector<Row> rows(Grouping grouping,
                                              std::optional<std::uint64_t> only_reason) const = 0;
  /// What the rows are: "reason", "io by key".
  [[nodiscard]] virtual std::string title(Grouping grouping,
                                          std::optional<std::uint64_t> only_reason) const = 0;
  /// What runs, since when, and how many exits there were: "@mix  12.0 s  6,010 exits, 505/s".
  [[nodiscard]] virtual std::string headline() const = 0;
  /// A line about it; "" where there is nothing to say.
  [[nodiscard]] virtual std::string remark() const { return {}; }
};

/// "505", "5.0": exits a second.
[[nodiscard]] std::string rate_in_words(double rate);

}  // namespace kvmbench::live
