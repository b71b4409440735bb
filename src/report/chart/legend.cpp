#include "report/chart/legend.hpp"

#include <algorithm>

#include "report/printable.hpp"

namespace kvmbench::report {

double draw_legend(Drawing& drawing, double y, const std::vector<std::string>& names) {
  constexpr double line_height = 18, square = 10, gap = 16, column_width = 7;
  double x = 0;
  double line = y;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const double room = drawing.width() - square - 5;
    const double text_width = std::min(column_width * display_width(printable(names[i])), room);
    if (x > 0 && x + square + 5 + text_width > drawing.width()) {
      x = 0;
      line += line_height;
    }
    drawing.rectangle(x, line, square, square, series_class(i));
    drawing.text(x + square + 5, line + square - 1, "", names[i], Drawing::Anchor::start, room);
    x += square + 5 + text_width + gap;
  }
  return names.empty() ? y : line + line_height + 4;
}

}  // namespace kvmbench::report
