/// A table for a terminal: columns line up, and the least important go first where it is too narrow.
#pragma once

#include <string>
#include <vector>

namespace kvmbench::report {

struct TextColumn {
  enum class Align { left, right };

  std::string title;
  Align align = Align::right;
  /// The highest is dropped first where the table is too wide; 0 is never dropped.
  unsigned dropped = 0;
  /// Longer cells are cut to this many columns of the terminal; 0: never, unless nothing is left to drop.
  unsigned widest = 0;
  /// Takes the room that the other columns leave, if that is enough to be of use.
  bool takes_rest = false;
};

class TextTable final {
 public:
  explicit TextTable(std::vector<TextColumn> columns) : columns_(std::move(columns)) {}

  /// One printable cell a column.
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  /// The row below the line.
  void set_total(std::vector<std::string> row) { total_ = std::move(row); }

  /// Lines of at most `width` columns, without trailing spaces. `colour` makes the titles and the total stand
  /// out.
  [[nodiscard]] std::string render(unsigned width, bool colour) const;

 private:
  struct Chosen {
    std::size_t column;
    unsigned width;
  };
  [[nodiscard]] unsigned natural_width(std::size_t column) const;
  [[nodiscard]] std::vector<Chosen> choose(unsigned width) const;
  void shorten_words(std::vector<Chosen>& chosen, unsigned by) const;
  [[nodiscard]] std::string line(const std::vector<Chosen>& chosen,
                                 const std::vector<std::string>& cells) const;

  std::vector<TextColumn> columns_;
  std::vector<std::vector<std::string>> rows_;
  std::vector<std::string> total_;
};

/// Bold, where `colour` is wanted.
[[nodiscard]] std::string emphasised(const std::string& text, bool colour);
/// Dimmed, where `colour` is wanted.
[[nodiscard]] std::string subdued(const std::string& text, bool colour);

}  // namespace kvmbench::report
