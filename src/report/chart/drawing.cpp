#include "report/chart/drawing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "report/markup.hpp"
#include "report/printable.hpp"

namespace kvmbench::report {
namespace {

// An upper bound of what a column of text takes in the 12 pixel sans-serif that the style asks for.
constexpr double column_width = 7;

// Okabe and Ito's colours, which people who see fewer colours tell apart too.
constexpr std::string_view style = R"(
:root { --chart-text: #1f2328; --chart-faint: #57606a; --chart-grid: #d8dee4; --chart-track: #eef1f4;
  --series-0: #0072b2; --series-1: #d98200; --series-2: #009e73; --series-3: #c2548f; --series-4: #d55e00;
  --series-5: #6e7781; }
@media (prefers-color-scheme: dark) { :root { --chart-text: #e6edf3; --chart-faint: #9aa4af;
  --chart-grid: #30363d; --chart-track: #21262d; --series-0: #56b4e9; --series-1: #e69f00; --series-2: #2fc997;
  --series-3: #e48ebb; --series-4: #f0804a; --series-5: #9aa4af; } }
@media print { :root { --chart-text: #000; --chart-faint: #444; --chart-grid: #ccc; --chart-track: #eee;
  --series-0: #0072b2; --series-1: #d98200; --series-2: #009e73; --series-3: #c2548f; --series-4: #d55e00;
  --series-5: #6e7781; } }
.chart { font: 12px system-ui, sans-serif; }
.chart text { fill: var(--chart-text); }
.chart .strong { font-weight: 600; }
.chart .heading { font-weight: 600; font-size: 14px; }
.chart text.faint { fill: var(--chart-faint); font-size: 11px; }
.chart .track { fill: var(--chart-track); }
.chart .grid { stroke: var(--chart-grid); }
.chart .axis { stroke: var(--chart-faint); }
.chart .mark { stroke: var(--chart-text); stroke-dasharray: 3 2; }
.chart .s0 { fill: var(--series-0); } .chart .s1 { fill: var(--series-1); } .chart .s2 { fill: var(--series-2); }
.chart .s3 { fill: var(--series-3); } .chart .s4 { fill: var(--series-4); } .chart .s5 { fill: var(--series-5); }
.chart path.s0, .chart path.s1, .chart path.s2, .chart path.s3, .chart path.s4, .chart path.s5 { fill: none;
  stroke-width: 1.6; stroke-linejoin: round; }
.chart path.s0 { stroke: var(--series-0); } .chart path.s1 { stroke: var(--series-1); }
.chart path.s2 { stroke: var(--series-2); } .chart path.s3 { stroke: var(--series-3); }
.chart path.s4 { stroke: var(--series-4); } .chart path.s5 { stroke: var(--series-5); }
)";

std::string_view anchor_attribute(Drawing::Anchor anchor) {
  switch (anchor) {
    case Drawing::Anchor::middle:
      return " text-anchor=\"middle\"";
    case Drawing::Anchor::end:
      return " text-anchor=\"end\"";
    case Drawing::Anchor::start:
      break;
  }
  return "";
}

}  // namespace

std::string_view chart_style() {
  return style;
}

std::string_view series_class(std::size_t series) {
  constexpr std::array<std::string_view, series_colours> names{"s0", "s1", "s2", "s3", "s4", "s5"};
  return names[series % names.size()];
}

Drawing::Drawing(std::string_view title, double width)
    : title_(markup_escaped(title)), width_(std::max(width, 240.0)) {}

void Drawing::reach(double y) noexcept {
  height_ = std::max(height_, y);
}

void Drawing::text(double x, double y, std::string_view css_class, std::string_view text, Anchor anchor,
                   double room) {
  const std::string whole = printable(text);
  const auto columns = static_cast<unsigned>(std::max(room / column_width, 1.0));
  body_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\"{}>{}</text>\n", x, y, css_class,
                       anchor_attribute(anchor), markup_escaped(room > 0 ? cut(whole, columns) : whole));
  reach(y + 4);
}

void Drawing::rectangle(double x, double y, double width, double height, std::string_view css_class,
                        std::string_view tip) {
  body_ += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" class=\"{}\"", x,
                       y, std::max(width, 0.0), std::max(height, 0.0), css_class);
  body_ += tip.empty() ? "/>\n" : fmt::format("><title>{}</title></rect>\n", markup_escaped(tip));
  reach(y + height);
}

void Drawing::line(double x1, double y1, double x2, double y2, std::string_view css_class) {
  body_ += fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n", x1,
                       y1, x2, y2, css_class);
  reach(std::max(y1, y2));
}

void Drawing::path(std::string_view data, std::string_view css_class) {
  body_ += fmt::format("<path d=\"{}\" class=\"{}\"/>\n", data, css_class);
}

std::string Drawing::render(std::string_view attributes, std::string_view own_style) const {
  return fmt::format(
      "<svg{} class=\"chart\" role=\"img\" viewBox=\"0 0 {:.0f} {:.0f}\">\n<title>{}</title>\n{}{}</svg>\n",
      attributes, width_, height_ + 4, title_, own_style, body_);
}

std::string Drawing::element() const {
  return render("", "");
}

std::string Drawing::file() const {
  const std::string size = fmt::format(
      " xmlns=\"http://www.w3.org/2000/svg\" width=\"{:.0f}\" height=\"{:.0f}\"", width_, height_ + 4);
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" +
         render(size, fmt::format("<style>{}</style>\n", style));
}

}  // namespace kvmbench::report
