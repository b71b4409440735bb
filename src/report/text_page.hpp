/// What the sections of a text report are written with: headings, paragraphs and tables in the terminal's
/// width.
#pragma once

#include <string>

#include "report/formats.hpp"
#include "report/text_table.hpp"
#include "report/units.hpp"

namespace kvmbench::report {

/// Times line up by their digits: "s" is one column short of "ms".
[[nodiscard]] std::string aligned_time(const std::string& shown);

class TextPage final {
 public:
  TextPage(const RenderOptions& options, Clock clock);

  void heading(const std::string& text);
  void paragraph(const std::string& text);
  void empty_line() { out_ += '\n'; }
  void table(const TextTable& table) { out_ += table.render(width_, options_.colour); }
  /// A heading and the facts below it; nothing if there are none.
  void facts(const std::string& title, const Facts& facts);

  [[nodiscard]] std::string time(double cycles) const { return aligned_time(clock_.show(cycles)); }
  [[nodiscard]] std::string time(stats::Cycles cycles) const { return time(static_cast<double>(cycles)); }

  [[nodiscard]] unsigned width() const { return width_; }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  const RenderOptions options_;
  const unsigned width_;
  const Clock clock_;
  std::string out_;
};

}  // namespace kvmbench::report
