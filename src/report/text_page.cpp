#include "report/text_page.hpp"

#include <algorithm>

#include "report/printable.hpp"

namespace kvmbench::report {

TextPage::TextPage(const RenderOptions& options, Clock clock)
    : options_(options), width_(std::max(options.width, 40u)), clock_(clock) {}

std::string aligned_time(const std::string& shown) {
  return shown.ends_with(" s") ? shown + ' ' : shown;
}

void TextPage::heading(const std::string& text) {
  out_ += '\n' + emphasised(cut(printable(text), width_), options_.colour) + '\n';
}

void TextPage::paragraph(const std::string& text) {
  for (const std::string& line : wrap(printable(text), width_)) out_ += line + '\n';
}

void TextPage::facts(const std::string& title, const Facts& facts) {
  if (facts.empty()) return;
  heading(title);
  unsigned label_width = 0;
  for (const auto& [name, value] : facts) label_width = std::max(label_width, display_width(printable(name)));
  label_width = std::min(label_width, 20u);
  for (const auto& [name, value] : facts) {
    std::string label = cut(printable(name), label_width);
    label.append(label_width - display_width(label) + 2, ' ');
    for (const std::string& line : wrap(printable(value), width_ - label_width - 4)) {
      out_ += "  " + subdued(label, options_.colour) + line + '\n';
      label.assign(label_width + 2, ' ');
    }
  }
}

}  // namespace kvmbench::report
