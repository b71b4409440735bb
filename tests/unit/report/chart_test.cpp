#include <catch2/catch.hpp>
#include <cmath>

#include "report/chart/axis.hpp"
#include "report/chart/charts.hpp"
#include "report/markup.hpp"

namespace kvmbench::report {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t number = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++number;
  return number;
}

stats::TimeStats times_of(std::initializer_list<stats::Cycles> values) {
  stats::TimeStats times;
  for (const stats::Cycles value : values) times.add(value);
  return times;
}

TEST_CASE("markup in a text is text") {
  CHECK(markup_escaped("<b a=\"1\" c='2'>&amp;</b>") ==
        "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;&lt;/b&gt;");
  CHECK(markup_escaped("\x1b[2J") == "\\x1b[2J");
}

TEST_CASE("linear ticks are round, begin at 0 and reach the maximum") {
  CHECK(linear_ticks(10, 5) == std::vector<double>{0, 2, 4, 6, 8, 10});
  CHECK(linear_ticks(0.9, 4) == std::vector<double>{0, 0.5, 1});
  CHECK(linear_ticks(1234, 4) == std::vector<double>{0, 500, 1000, 1500});
}

TEST_CASE("an axis of nothing goes from 0 to 1") {
  CHECK(linear_ticks(0, 4) == std::vector<double>{0, 1});
}

TEST_CASE("a logarithmic axis gives every power of ten the same room") {
  const LogAxis axis(1, 10'000, 0, 400);
  CHECK(axis.place(1) == Approx(0));
  CHECK(axis.place(100) == Approx(200));
  CHECK(axis.place(10'000) == Approx(400));
  CHECK(axis.ticks() == std::vector<double>{1, 10, 100, 1000, 10'000});
}

TEST_CASE("a logarithmic axis clamps what is outside of it") {
  const LogAxis axis(10, 1000, 0, 100);
  CHECK(axis.place(1) == Approx(0));
  CHECK(axis.place(1e9) == Approx(100));
}

TEST_CASE("a short logarithmic axis has ticks at 2 and 5 times a power of ten too") {
  CHECK(LogAxis(10, 100, 0, 100).ticks() == std::vector<double>{10, 20, 50, 100});
}

TEST_CASE("the longest bar is as wide as the drawing, the others in proportion") {
  const std::string svg = bar_chart("Exits", {{"io", {200}, "200"}, {"mmio", {50}, "50"}}, {}, 400).element();
  CHECK(contains(svg, "width=\"400.0\" height=\"10.0\" class=\"s0\"><title>io: 200</title>"));
  CHECK(contains(svg, "width=\"100.0\" height=\"10.0\" class=\"s0\"><title>mmio: 50</title>"));
}

TEST_CASE("a bar's parts follow each other") {
  const std::string svg = bar_chart("Time", {{"boot", {300, 100}, "4 s"}}, {"service", "run"}, 400).element();
  CHECK(contains(svg, "<rect x=\"0.0\" y=\"65.0\" width=\"300.0\" height=\"10.0\" class=\"s0\""));
  CHECK(contains(svg, "<rect x=\"300.0\" y=\"65.0\" width=\"100.0\" height=\"10.0\" class=\"s1\""));
}

TEST_CASE("a figure above 0 is never drawn as nothing") {
  const std::string svg = bar_chart("Exits", {{"io", {1e9}, ""}, {"mmio", {1}, "1"}}, {}, 400).element();
  CHECK(contains(svg, "width=\"0.8\" height=\"10.0\" class=\"s0\"><title>mmio: 1</title>"));
}

TEST_CASE("a drawing on its own is a file of SVG with its style") {
  const std::string svg = bar_chart("<x>", {}, {}, 400).file();
  CHECK(svg.starts_with(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\""));
  CHECK(contains(svg, "<title>&lt;x&gt;</title>\n<style>"));
  CHECK(svg.ends_with("</svg>\n"));
}

TEST_CASE("the bars of all groups share one scale") {
  const std::string svg =
      group_chart("Exits", {{"ata0 data", {{608, "608"}, {152, "152"}}, "× 0.25"}}, {"A", "B"}, 400)
          .element();
  // 96 of the 400 pixels are the figures'.
  CHECK(contains(svg, "width=\"304.0\" height=\"10.0\" class=\"s0\"><title>ata0 data: 608</title>"));
  CHECK(contains(svg, "width=\"76.0\" height=\"10.0\" class=\"s1\"><title>ata0 data: 152</title>"));
  CHECK(contains(svg, ">× 0.25</text>"));
}

TEST_CASE("a histogram has a column a bucket that holds exits, the fullest the highest") {
  // 100, 104 and 2,000 cycles are in buckets of their own; at 1 GHz a cycle is a nanosecond.
  const std::string svg =
      histogram_chart("", {{"io", times_of({100, 100, 100, 104, 2000})}}, Clock(1'000'000), 400).element();
  CHECK(occurrences(svg, "class=\"s0\"") == 3);
  CHECK(contains(svg, "height=\"70.0\" class=\"s0\"><title>100 ns to 104 ns: 3</title>"));
  CHECK(contains(svg, "<title>104 ns to 108 ns: 1</title>"));
  CHECK(contains(svg, ">p50 102 ns, p99 2.00 µs, p99.9 2.00 µs</text>"));
  CHECK(contains(svg, ">5 exits</text>"));
}

TEST_CASE("a histogram of nothing has no columns") {
  const std::string svg = histogram_chart("", {{"io", {}}}, Clock(1'000'000), 400).element();
  CHECK(occurrences(svg, "class=\"s0\"") == 0);
  CHECK(contains(svg, ">0 exits</text>"));
}

TEST_CASE("a histogram from 0 to the last bucket stays in its drawing") {
  const std::string svg =
      histogram_chart("", {{"io", times_of({0, ~stats::Cycles{0}})}}, Clock(0), 400).element();
  CHECK(occurrences(svg, "class=\"s0\"") == 2);
  CHECK_FALSE(contains(svg, "nan"));
  CHECK_FALSE(contains(svg, "inf"));
}

TEST_CASE("a rate holds for its whole interval") {
  const std::string svg = line_chart("Rate", {1, 4}, {{"io", {100, 50}}}, "exits/s", 444).element();
  // 44 pixels for the scale, then 100 a second; the plot is 160 high from y = 64 to 224, its top being 100.
  CHECK(contains(svg, "d=\"M44.0 64.0H144.0L144.0 144.0H444.0\" class=\"s0\""));
}

TEST_CASE("points lie on axes that begin at 0") {
  const PointChart chart{"Exits", "share", "exits/s", {{"ata", {{0, 0}, {0.5, 50}, {1, 100}}}}, true};
  const std::string svg = point_chart(chart, 468).element();
  // 56 pixels for the scale and 12 at the right; the plot is 200 high from y = 64 to 264, its top being 100.
  CHECK(contains(svg, "d=\"M56.0 264.0L256.0 164.0L456.0 64.0\" class=\"s0\""));
  CHECK(contains(svg, "<title>ata: 0.5, 50</title>"));
  CHECK(contains(svg, ">share</text>"));
}

TEST_CASE("points over more than a power of ten have a logarithmic axis") {
  const PointChart chart{"Exits", "batch", "exits", {{"a", {{1, 1}, {10, 1}, {100, 1}}}}, true};
  CHECK(contains(point_chart(chart, 468).element(), "d=\"M56.0 64.0L256.0 64.0L456.0 64.0\""));
}

TEST_CASE("a scatter has marks and no line, and leaves out what is no number") {
  const PointChart chart{"All", "x", "y", {{"a", {{1, 1}, {NAN, 1}, {2, HUGE_VAL}, {3, 2}}}}, false};
  const std::string svg = point_chart(chart, 468).element();
  CHECK(occurrences(svg, "<title>a: ") == 2);
  CHECK(occurrences(svg, "<path") == 0);
  CHECK_FALSE(contains(svg, "nan"));
  CHECK_FALSE(contains(svg, "inf"));
}

TEST_CASE("a chart without a point is axes alone") {
  const std::string svg = point_chart({"Nothing", "x", "y", {}, true}, 468).element();
  CHECK_FALSE(contains(svg, "nan"));
  CHECK_FALSE(contains(svg, "inf"));
}

}  // namespace
}  // namespace kvmbench::report
