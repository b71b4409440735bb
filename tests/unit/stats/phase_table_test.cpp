#include "stats/phase_table.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <thread>

using namespace kvmbench::stats;
using Kind = PhaseLabel::Kind;

TEST_CASE("a run begins in the phase start") {
  const PhaseTable table(77);
  CHECK(table.current() == 0);
  CHECK(table.phases() == std::vector<Phase>{{PhaseLabel{}, 77}});
}

TEST_CASE("A B A B counts into two phases, each with the time of its first mark") {
  PhaseTable table(0);
  table.mark(Kind::post_code, 0x0a, 10);
  CHECK(table.current() == 1);
  table.mark(Kind::post_code, 0x0b, 20);
  CHECK(table.current() == 2);
  table.mark(Kind::post_code, 0x0a, 30);
  CHECK(table.current() == 1);
  table.mark(Kind::post_code, 0x0b, 40);
  CHECK(table.current() == 2);
  CHECK(table.phases() == std::vector<Phase>{{PhaseLabel{}, 0},
                                             {PhaseLabel{Kind::post_code, 0x0a, {}}, 10},
                                             {PhaseLabel{Kind::post_code, 0x0b, {}}, 20}});
}

TEST_CASE("the same value of another kind is another phase") {
  PhaseTable table(0);
  table.mark(Kind::post_code, 5, 1);
  table.mark(Kind::mark, 5, 2);
  CHECK(table.current() == 2);
  table.mark(Kind::named, "5", 3);
  table.mark(Kind::serial_match, "5", 4);
  CHECK(table.current() == 4);
  table.mark(Kind::named, "5", 5);
  CHECK(table.current() == 3);
  table.mark(Kind::mark, 5, 6);
  CHECK(table.current() == 2);
  CHECK(table.phases().size() == 5);
}

TEST_CASE("of a post code the low 8 bits count, of a mark all 32") {
  PhaseTable table(0);
  table.mark(Kind::post_code, 0x1ff, 1);
  table.mark(Kind::post_code, 0xff, 2);
  CHECK(table.current() == 1);
  table.mark(Kind::mark, 0xffff'ffff, 3);
  table.mark(Kind::mark, 0xff, 4);
  const std::vector<Phase> phases = table.phases();
  REQUIRE(phases.size() == 4);
  CHECK(phases[1].label.value == 0xff);
  CHECK(phases[2].label.value == 0xffff'ffff);
}

TEST_CASE("marks without a value are told apart by their kind alone") {
  PhaseTable table(0);
  table.mark(Kind::userspace_output, 1, 1);
  table.mark(Kind::userspace_output, 2, 2);
  table.mark(Kind::power_off, 0, 3);
  CHECK(table.phases() == std::vector<Phase>{{PhaseLabel{}, 0},
                                             {PhaseLabel{Kind::userspace_output, 0, {}}, 1},
                                             {PhaseLabel{Kind::power_off, 0, {}}, 3}});
}

TEST_CASE("phases past the limit are counted together") {
  PhaseTable table(0);
  for (std::uint32_t value = 0; value < 10'000; ++value) table.mark(Kind::mark, value, value + 1);
  CHECK(table.current() == PhaseTable::max_phases - 1);
  table.mark(Kind::post_code, 0x42, 20'000);
  CHECK(table.current() == PhaseTable::max_phases - 1);
  table.mark(Kind::post_code, 0x42, 20'001);
  CHECK(table.current() == PhaseTable::max_phases - 1);

  const std::vector<Phase> phases = table.phases();
  REQUIRE(phases.size() == PhaseTable::max_phases);
  CHECK(phases[254] == Phase{PhaseLabel{Kind::mark, 253, {}}, 254});
  CHECK(phases[255] == Phase{PhaseLabel{Kind::further, 0, {}}, 255});

  table.mark(Kind::mark, 100, 30'000);  // a known one still resumes its own
  CHECK(table.current() == 101);
}

TEST_CASE("a label's text is cut at its limit") {
  PhaseTable table(0);
  table.mark(Kind::named, std::string(100'000, 'x'), 1);
  table.mark(Kind::named, std::string(PhaseTable::max_text, 'x'), 2);
  CHECK(table.current() == 1);
  CHECK(table.phases().at(1).label.text == std::string(256, 'x'));
}

TEST_CASE("threads that mark at once find each other's phases") {
  PhaseTable table(0);
  const auto mark_all = [&table] {
    for (std::uint32_t i = 0; i < 20'000; ++i) {
      table.mark(Kind::post_code, i % 64, i);
      table.mark(Kind::mark, i % 32, i);
      if (i % 1000 == 0) table.mark(Kind::named, "both", i);
    }
  };
  std::thread other(mark_all);
  mark_all();
  other.join();
  CHECK(table.phases().size() == 1 + 64 + 32 + 1);
  CHECK(table.current() < table.phases().size());
}
