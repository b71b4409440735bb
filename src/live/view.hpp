/// The live table: what is shown of a run, and what the keys do. No terminal here: keys come in, lines go
/// out.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "live/moment.hpp"

namespace kvmbench::live {

enum class Key { none, up, down, enter, back, by_reason, by_key, by_vcpu, sort, pause, quit };

/// The key that `bytes`, what a terminal sent for one key press, stands for.
[[nodiscard]] Key key_of(std::string_view bytes);

class View final {
 public:
  /// Shown from now on, unless the view is paused.
  void show(std::shared_ptr<const Moment> moment);
  /// Does what the key means; `quit` and `none` are the caller's.
  void press(Key key);

  struct Size {
    unsigned columns;  ///< tables fit it, down to 40
    unsigned rows;     ///< at least 8
  };
  /// Exactly `size.rows` lines, each at most `size.columns` wide. `console` is the guest's output, the last
  /// lines of which are shown below where there is room for three or more.
  [[nodiscard]] std::vector<std::string> render(Size size, bool colour,
                                                const std::vector<std::string>& console) const;

  /// One line for where there is no terminal: the rates of the reasons that come most.
  [[nodiscard]] std::string line() const;

 private:
  enum class Sort { rate, total, time, p99 };

  [[nodiscard]] std::vector<Row> rows() const;
  [[nodiscard]] std::vector<Row> sorted_rows() const;
  void list_rows(std::vector<std::string>& lines, Size size, std::size_t room, bool colour) const;
  void keep_selection_inside();

  std::shared_ptr<const Moment> moment_;  // null before the first
  Grouping grouping_ = Grouping::reason;
  Sort sort_ = Sort::time;
  std::optional<std::uint64_t> only_reason_;
  std::size_t selected_ = 0;
  bool paused_ = false;
};

}  // namespace kvmbench::live
