#include "report/text_table.hpp"

#include <algorithm>

#include "report/printable.hpp"

namespace kvmbench::report {
namespace {

constexpr unsigned gap = 2;
/// A column that takes the rest is of no use below this.
constexpr unsigned least_rest = 24;

}  // namespace

std::string emphasised(const std::string& text, bool colour) {
  return colour ? "\x1b[1m" + text + "\x1b[0m" : text;
}

std::string subdued(const std::string& text, bool colour) {
  return colour ? "\x1b[2m" + text + "\x1b[0m" : text;
}

unsigned TextTable::natural_width(std::size_t column) const {
  unsigned width = 0;
  for (const auto& row : rows_) width = std::max(width, display_width(row[column]));
  if (!total_.empty()) width = std::max(width, display_width(total_[column]));
  const unsigned widest = columns_[column].widest;
  if (widest != 0) width = std::min(width, widest);
  return std::max(width, display_width(columns_[column].title));
}

std::vector<TextTable::Chosen> TextTable::choose(unsigned width) const {
  std::vector<Chosen> chosen;
  unsigned used = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].takes_rest) continue;
    chosen.push_back({i, natural_width(i)});
    used += chosen.back().width + (chosen.size() > 1 ? gap : 0);
  }
  const auto order = [&](const Chosen& one) { return columns_[one.column].dropped; };
  while (used > width) {
    const auto least =
        std::max_element(chosen.begin(), chosen.end(),
                         [&](const Chosen& left, const Chosen& right) { return order(left) < order(right); });
    if (order(*least) == 0) {
      shorten_words(chosen, used - width);
      return chosen;
    }
    used -= least->width + gap;
    chosen.erase(least);
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!columns_[i].takes_rest || used + gap + least_rest > width) continue;
    const auto place =
        std::find_if(chosen.begin(), chosen.end(), [=](const Chosen& one) { return one.column > i; });
    chosen.insert(place, {i, std::min(natural_width(i), width - used - gap)});
    break;
  }
  return chosen;
}

/// Words give way to figures, and of several columns of them the widest: `by` in all, as far as there is
/// room.
void TextTable::shorten_words(std::vector<Chosen>& chosen, unsigned by) const {
  const auto is_words = [this](const Chosen& one) {
    return columns_[one.column].align == TextColumn::Align::left;
  };
  for (; by > 0; --by) {
    Chosen* widest = &chosen.front();
    for (Chosen& one : chosen) {
      if (is_words(one) && one.width > widest->width) widest = &one;
    }
    if (widest->width == 0) return;
    --widest->width;
  }
}

std::string TextTable::line(const std::vector<Chosen>& chosen, const std::vector<std::string>& cells) const {
  std::string line;
  for (const Chosen& one : chosen) {
    if (&one != &chosen.front()) line.append(gap, ' ');
    const std::string cell = cut(cells[one.column], one.width);
    const std::string padding(one.width - display_width(cell), ' ');
    line += columns_[one.column].align == TextColumn::Align::left ? cell + padding : padding + cell;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string TextTable::render(unsigned width, bool colour) const {
  const std::vector<Chosen> chosen = choose(width);
  std::vector<std::string> titles;
  std::size_t columns = gap * (chosen.size() - 1);
  for (const TextColumn& column : columns_) titles.push_back(column.title);
  for (const Chosen& one : chosen) columns += one.width;
  const std::string rule = subdued(std::string(columns, '-'), colour) + '\n';

  std::string out = emphasised(line(chosen, titles), colour) + '\n' + rule;
  for (const auto& row : rows_) out += line(chosen, row) + '\n';
  if (!total_.empty()) out += rule + emphasised(line(chosen, total_), colour) + '\n';
  return out;
}

}  // namespace kvmbench::report
