/// A drawing in SVG 1.1: shapes and texts whose looks are classes of a style sheet, so that the same drawing
/// follows the light or dark style of the page it is in, or brings its own.
#pragma once

#include <string>
#include <string_view>

namespace kvmbench::report {

/// Lengths are in CSS pixels of a drawing shown at its own size; y grows downwards.
class Drawing final {
 public:
  /// `title` is read out in place of the picture. `width` at least 240.
  Drawing(std::string_view title, double width);

  [[nodiscard]] double width() const noexcept { return width_; }
  [[nodiscard]] double height() const noexcept { return height_; }
  /// Makes the drawing reach down to `y`.
  void reach(double y) noexcept;

  enum class Anchor { start, middle, end };
  /// One line of text, its baseline at `y`, cut to `room` pixels (0: not cut).
  void text(double x, double y, std::string_view css_class, std::string_view text,
            Anchor anchor = Anchor::start, double room = 0);
  /// `tip` is shown where the pointer rests; "" for none.
  void rectangle(double x, double y, double width, double height, std::string_view css_class,
                 std::string_view tip = {});
  void line(double x1, double y1, double x2, double y2, std::string_view css_class);
  /// `data` as of the d attribute of a path.
  void path(std::string_view data, std::string_view css_class);

  /// The element alone, for a page that has chart_style().
  [[nodiscard]] std::string element() const;
  /// A file of its own.
  [[nodiscard]] std::string file() const;

 private:
  [[nodiscard]] std::string render(std::string_view attributes, std::string_view style) const;

  std::string title_;
  double width_;
  double height_ = 0;
  std::string body_;
};

/// The style sheet (CSS) of drawings, light and dark.
[[nodiscard]] std::string_view chart_style();

/// The class that colours the n-th series of a chart; six are told apart.
[[nodiscard]] std::string_view series_class(std::size_t series);
inline constexpr std::size_t series_colours = 6;

}  // namespace kvmbench::report
