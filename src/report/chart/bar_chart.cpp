#include <algorithm>
#include <numeric>

#include "report/chart/charts.hpp"
#include "report/chart/legend.hpp"

namespace kvmbench::report {
namespace {

constexpr double bar_height = 10;
constexpr double row_height = 34;
constexpr double value_room = 150;

double length_of(const Bar& bar) {
  return std::accumulate(bar.parts.begin(), bar.parts.end(), 0.0);
}

/// Pixels that a figure takes where `longest` takes `width`; what is not nothing is seen.
double pixels(double figure, double longest, double width) {
  if (!(figure > 0) || !(longest > 0)) return 0;
  return std::max(figure / longest * width, 0.75);
}

void draw_row_title(Drawing& drawing, double y, const std::string& label, const std::string& value) {
  drawing.text(0, y + 12, "strong", label, Drawing::Anchor::start, drawing.width() - value_room);
  drawing.text(drawing.width(), y + 12, "", value, Drawing::Anchor::end, value_room);
}

}  // namespace

Drawing bar_chart(const std::string& title, const std::vector<Bar>& bars,
                  const std::vector<std::string>& legends, double width) {
  Drawing drawing(title, width);
  drawing.text(0, 14, "heading", title, Drawing::Anchor::start, width);
  double y = draw_legend(drawing, 26, legends);
  double longest = 0;
  for (const Bar& bar : bars) longest = std::max(longest, length_of(bar));
  for (const Bar& bar : bars) {
    draw_row_title(drawing, y, bar.label, bar.value);
    drawing.rectangle(0, y + 17, drawing.width(), bar_height, "track");
    double x = 0;
    for (std::size_t part = 0; part < bar.parts.size(); ++part) {
      const double length = pixels(bar.parts[part], longest, drawing.width());
      drawing.rectangle(x, y + 17, length, bar_height, series_class(part), bar.label + ": " + bar.value);
      x += length;
    }
    y += row_height;
  }
  drawing.reach(y);
  return drawing;
}

Drawing group_chart(const std::string& title, const std::vector<BarGroup>& groups,
                    const std::vector<std::string>& legends, double width) {
  constexpr double value_width = 96, gap = 1, space_below = 11;
  Drawing drawing(title, width);
  drawing.text(0, 14, "heading", title, Drawing::Anchor::start, width);
  double y = draw_legend(drawing, 26, legends);
  double longest = 0;
  for (const BarGroup& group : groups) {
    for (const BarGroup::Member& member : group.members) longest = std::max(longest, member.figure);
  }
  const double room = drawing.width() - value_width;
  for (const BarGroup& group : groups) {
    draw_row_title(drawing, y, group.label, group.note);
    y += 17;
    for (std::size_t i = 0; i < group.members.size(); ++i) {
      const auto& [figure, value] = group.members[i];
      drawing.rectangle(0, y, room, bar_height, "track");
      drawing.rectangle(0, y, pixels(figure, longest, room), bar_height, series_class(i),
                        group.label + ": " + value);
      drawing.text(drawing.width(), y + bar_height - 1, "faint", value, Drawing::Anchor::end, value_width);
      y += bar_height + gap;
    }
    y += space_below;
  }
  drawing.reach(y);
  return drawing;
}

}  // namespace kvmbench::report
