#include "report/html/html.hpp"

#include <linux/kvm.h>

#include <catch2/catch.hpp>

#include "sample.hpp"

namespace kvmbench::report {
namespace {

using namespace testing;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a figure has its exact value beside what people read") {
  const std::string page =
      to_html(report_of({exits(port(0x3f8, Direction::write, 1), 1'000, 2'000, 20'000)}));
  CHECK(contains(page, "<td class=\"figure\" data-value=\"1000\">1,000</td>"));
  CHECK(contains(page, "<td class=\"figure\" data-value=\"2000000\">2.00 ms</td>"));
}

TEST_CASE("the page says what costs most and how to lessen it") {
  const std::string page = to_html(rich_report());
  CHECK(contains(page, "<p>Most service time: io, "));
  CHECK(contains(page, "What lessens it: "));
}

TEST_CASE("nothing is fetched for a page") {
  const std::string page = to_html(rich_report());
  CHECK_FALSE(contains(page, "http://"));
  CHECK_FALSE(contains(page, "https://"));
  CHECK_FALSE(contains(page, " src="));
  CHECK_FALSE(contains(page, "@import"));
  CHECK_FALSE(contains(page, "url("));
}

TEST_CASE("names with markup in them are text in a page") {
  Report report = report_of({exits(port(0x3f8, Direction::write, 1), 1, 10, 10)});
  report.machine = {{"image", "</title><script>alert(1)</script>"}};
  report.set_name(port(0x3f8, Direction::write, 1), {"<img src=x onerror=alert(1)>", "\"'&"});
  report.snapshot.phases.push_back({{stats::PhaseLabel::Kind::named, 0, "</svg><script>"}, 5});
  const std::string page = to_html(report);
  CHECK_FALSE(contains(page, "<script>alert"));
  CHECK_FALSE(contains(page, "<img"));
  CHECK_FALSE(contains(page, "</svg><script>\n"));
  CHECK(contains(page, "<title>kvmbench: &lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;</title>"));
  CHECK(contains(page, "<td>&quot;&#39;&amp;</td>"));
}

TEST_CASE("a page of a run without exits says so and has no charts") {
  const std::string page = to_html(report_of({}));
  CHECK(contains(page, "<p>No exits were recorded.</p>"));
  CHECK_FALSE(contains(page, "<svg"));
}

TEST_CASE("increase over time is shown where it is known") {
  Timeline timeline;
  timeline.add(1, {{KVM_EXIT_IO, 10}});
  CHECK(contains(to_html(rich_report(), {.timeline = &timeline}), "<h2>Increase over time</h2>"));
  CHECK_FALSE(contains(to_html(rich_report()), "<h2>Increase over time</h2>"));
}

TEST_CASE("a page of a run that goes on reloads itself") {
  CHECK(
      contains(to_html(rich_report(), {.reload_seconds = 2}), "<meta http-equiv=\"refresh\" content=\"2\">"));
  CHECK_FALSE(contains(to_html(rich_report()), "refresh"));
}

}  // namespace
}  // namespace kvmbench::report
