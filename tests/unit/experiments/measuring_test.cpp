#include "experiments/measuring.hpp"

#include <catch2/catch.hpp>

#include "experiments/progress.hpp"
#include "report/experiment.hpp"
#include "report/experiment_tables.hpp"

using namespace kvmbench;
using namespace kvmbench::experiments;

TEST_CASE("what differs by the rounding of doubles alone has no residual") {
  CHECK(residual(0.3, 0.1 + 0.2) == 0);
  CHECK(residual(12, 12) == 0);
  CHECK(residual(0, 0) == 0);
  CHECK(residual(3, 2.5) == 0.5);
  CHECK(residual(1e-9, 2e-9) == -1e-9);
}

TEST_CASE("the median is the middle one, or the mean of the two in the middle") {
  CHECK(median_of({}) == 0);
  CHECK(median_of({7}) == 7);
  CHECK(median_of({9, 1, 5}) == 5);
  CHECK(median_of({4, 1, 3, 2}) == 2.5);
}

TEST_CASE("a spread is median, least and most, and how many there were") {
  CHECK(spread_of({3, 1, 2}) == report::Spread{.median = 2, .least = 1, .most = 3, .repetitions = 3});
  CHECK(spread_of({}) == report::Spread{});
}

TEST_CASE("the relative spread is how far the farthest is from the median") {
  CHECK(relative_spread(spread_of({10, 9, 12})) == Approx(0.2));
  CHECK(relative_spread(spread_of({0, 0})) == 0);
}

TEST_CASE("one is clearly less where no repetition reaches the other's") {
  CHECK(clearly_less(spread_of({1, 2}), spread_of({3, 4})));
  CHECK_FALSE(clearly_less(spread_of({1, 3}), spread_of({3, 4})));
  CHECK_FALSE(clearly_less(spread_of({3, 4}), spread_of({1, 2})));
}

TEST_CASE("a budget has room for as many rounds as were seen to fit, within the bounds") {
  CHECK(rounds_within(1, 0.25, 1, 1'000'000) == 4);
  CHECK(rounds_within(1, 1e-6, 1, 100) == 100);
  CHECK(rounds_within(1, 10, 3, 100) == 3);
  CHECK(rounds_within(0, 1e-6, 3, 100) == 3);
  CHECK(rounds_within(-1, 1e-6, 3, 100) == 3);
  CHECK(rounds_within(1, 0, 3, 100) == 100);
}

TEST_CASE("points on a line are fitted by it") {
  const auto fit = fit_line({{0, 1}, {1, 3}, {2, 5}});
  REQUIRE(fit);
  CHECK(fit->intercept == Approx(1));
  CHECK(fit->slope == Approx(2));
  CHECK(fit->r_squared == Approx(1));
  CHECK(fit->greatest_residual == Approx(0).margin(1e-12));
}

TEST_CASE("what a line does not explain is its residual") {
  // By hand: means 1 and 4/3, sum of xy 2 and of xx 2, so y = 1/3 + x; residuals -1/3, 2/3, -1/3.
  const auto fit = fit_line({{0, 0}, {1, 2}, {2, 2}});
  REQUIRE(fit);
  CHECK(fit->slope == Approx(1));
  CHECK(fit->intercept == Approx(1.0 / 3));
  CHECK(fit->greatest_residual == Approx(2.0 / 3));
  CHECK(fit->r_squared == Approx(0.75));
}

TEST_CASE("no line is fitted to points of one x") {
  CHECK_FALSE(fit_line({}));
  CHECK_FALSE(fit_line({{1, 1}}));
  CHECK_FALSE(fit_line({{1, 1}, {1, 2}}));
}

TEST_CASE("a bar is filled by the share of the time that is over") {
  CHECK(bar_of(0, 4) == "[>   ]");
  CHECK(bar_of(0.5, 4) == "[==> ]");
  CHECK(bar_of(1, 4) == "[====]");
  CHECK(bar_of(7, 4) == "[====]");
  CHECK(bar_of(-1, 4) == "[>   ]");
}

TEST_CASE("a result is sound where nothing failed and each determined count is as it must be") {
  report::ExperimentResult result;
  CHECK(result.sound());
  result.expect("cpuid", 10, 10);
  CHECK(result.sound());
  result.expect("port", 10, 11);
  CHECK_FALSE(result.sound());
  CHECK_THAT(report::remarks(result).at(0), Catch::Contains("port: 11 in place of 10"));
  report::ExperimentResult failed;
  failed.failures.emplace_back("an arm");
  CHECK_FALSE(failed.sound());
}

TEST_CASE("a cell shows its unit, and how far its repetitions spread") {
  using Unit = report::ExperimentColumn::Unit;
  CHECK(report::shown(report::ExperimentCell{}, Unit::seconds) == "-");
  CHECK(report::shown(1.5e-6, Unit::seconds) == "1.50 µs");
  CHECK(report::shown(-1.5e-6, Unit::seconds) == "-1.50 µs");
  CHECK(report::shown(1234567.0, Unit::count) == "1,234,567");
  CHECK(report::shown(0.125, Unit::share) == "12.5%");
  CHECK(report::shown(spread_of({100, 110, 90}), Unit::cycles) == "100 ±10%");
  CHECK(report::shown(spread_of({100}), Unit::cycles) == "100");
}

TEST_CASE("what a host cannot do is a row with its reason below the table") {
  using Unit = report::ExperimentColumn::Unit;
  report::ExperimentTable table;
  table.columns = {{"kind", "kind", Unit::words}, {"count", "count", Unit::count}};
  table.add({std::string("a"), 1.0});
  table.add_not_here({std::string("b")}, "this CPU has none");
  const report::PlainTable plain = report::plain_table(table);
  REQUIRE(plain.rows.size() == 2);
  CHECK(plain.rows[1].at(1).text == "-");
  CHECK(plain.sentences.back() == "Not here: b: this CPU has none.");

  table.add_not_here({std::string("c")}, "nobody knows");
  table.add_not_here({std::string("d")}, "this CPU has none");
  const std::vector<std::string> grouped = {"Not here: b; d: this CPU has none.",
                                            "Not here: c: nobody knows."};
  CHECK(report::plain_table(table).sentences == grouped);
}

TEST_CASE("where a host can do nothing of a table, its reason is said once") {
  using Unit = report::ExperimentColumn::Unit;
  report::ExperimentTable table;
  table.columns = {{"kind", "kind", Unit::words}};
  table.add_not_here({std::string("a")}, "this CPU has none");
  table.add_not_here({std::string("b")}, "this CPU has none");
  CHECK(report::plain_table(table).sentences ==
        std::vector<std::string>{"Not here: any of it: this CPU has none."});
}
