#include <catch2/catch.hpp>

#include "openmetrics_grammar.hpp"
#include "report/compare.hpp"
#include "report/experiment.hpp"
#include "sample.hpp"

namespace kvmbench::report {
namespace {

using namespace testing;

bool has_line(const std::string& text, const std::string& line) {
  return text.find('\n' + line + '\n') != std::string::npos;
}

Experiments two_experiments() {
  ExperimentTable table{.id = "prices", .title = "What \"it\" costs", .columns = {}, .rows = {}, .notes = {}};
  table.columns = {{"kind", "exit", ExperimentColumn::Unit::words},
                   {"mean_s", "mean", ExperimentColumn::Unit::seconds},
                   {"rounds", "rounds", ExperimentColumn::Unit::count}};
  table.add({std::string("a \"b\\"), Spread{.median = 2, .least = 1, .most = 4, .repetitions = 3}, 7.0});
  table.add({std::string("a \"b\\"), {}, 8.0});
  table.add_not_here({std::string("rtm")}, "no RTM");
  ExperimentResult sound, unsound;
  sound.name = "first";
  sound.tables = {table};
  unsound.name = "second";
  unsound.expect("exits", 1, 2);
  return {.kvmbench_version = "1", .started = "", .host = {}, .results = {sound, unsound}};
}

TEST_CASE("each figure of an experiment is a gauge, and those of rows alike are told apart") {
  const std::string text = to_openmetrics(two_experiments());
  CHECK(violation(text).empty());
  const std::string first =
      R"(kvmbench_experiment_figure{experiment="first",table="prices",row="1",words="a \"b\\",)";
  const std::string second =
      R"(kvmbench_experiment_figure{experiment="first",table="prices",row="2",words="a \"b\\",)";
  CHECK(has_line(text, first + R"(figure="mean_s",statistic="median"} 2)"));
  CHECK(has_line(text, first + R"(figure="mean_s",statistic="min"} 1)"));
  CHECK(has_line(text, first + R"(figure="mean_s",statistic="max"} 4)"));
  CHECK(has_line(text, first + R"(figure="rounds",statistic="value"} 7)"));
  CHECK(has_line(text, second + R"(figure="rounds",statistic="value"} 8)"));
  CHECK(text.find("rtm") == std::string::npos);
}

TEST_CASE("whether an experiment is sound is a gauge") {
  const std::string text = to_openmetrics(two_experiments());
  CHECK(has_line(text, R"(kvmbench_experiment_sound{experiment="first"} 1)"));
  CHECK(has_line(text, R"(kvmbench_experiment_sound{experiment="second"} 0)"));
}

TEST_CASE("the sides of a comparison are told apart though they have one label") {
  const Report one = rich_report();
  const std::string text = to_openmetrics(compare({{"a.json", &one}, {"a.json", &one}}));
  CHECK(violation(text).empty());
  for (const char* side : {"1", "2"}) {
    const std::string labels =
        std::string("{side=\"") + side + R"(",label="a.json",what="reason",name="io"})";
    CHECK(text.find("\nkvmbench_compared_exits" + labels + ' ') != std::string::npos);
    CHECK(text.find("\nkvmbench_compared_service_seconds" + labels + ' ') != std::string::npos);
  }
}

TEST_CASE("a comparison of traced runs has the hardware's reasons") {
  const Report one = traced_report();
  const std::string text = to_openmetrics(compare({{"a", &one}, {"b", &one}}));
  CHECK(violation(text).empty());
  CHECK(text.find("what=\"hardware reason\"") != std::string::npos);
  CHECK(text.find("\nkvmbench_compared_out_of_guest_seconds{side=\"2\"") != std::string::npos);
}

}  // namespace
}  // namespace kvmbench::report
