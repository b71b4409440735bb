/// Prints the sample report in the format named, for the tests that a program in another language makes.
#include <cstdio>
#include <string>

#include "report/formats.hpp"
#include "report/html/html.hpp"
#include "sample.hpp"

int main(int argc, char** argv) {
  using namespace kvmbench::report;
  const std::string format = argc > 1 ? argv[1] : "";
  const Report report = testing::traced_report();
  std::string text;
  if (format == "json") {
    text = to_json(report);
  } else if (format == "interval") {
    text = to_json_line(report.snapshot, 1);
  } else if (format == "csv") {
    text = to_csv(report);
  } else if (format == "markdown") {
    text = to_markdown(report, true);
  } else if (format == "html") {
    text = to_html(report);
  } else if (format == "text") {
    text = to_text(report, {.width = argc > 2 ? static_cast<unsigned>(std::stoul(argv[2])) : 80,
                            .split_phases = argc > 3});
  } else {
    std::fputs("usage: print_sample json|interval|csv|markdown|html|text [WIDTH [split]]\n", stderr);
    return 2;
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
}
