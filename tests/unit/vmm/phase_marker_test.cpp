#include "vmm/phase_marker.hpp"

#include <catch2/catch.hpp>
#include <string_view>

#include "base/error.hpp"

using namespace kvmbench;

namespace {

void send(PhaseMarker& marker, std::string_view text, bool interrupt_driven = false) {
  for (const char c : text) marker.transmitted(static_cast<std::uint8_t>(c), interrupt_driven);
}

std::string current_name(const stats::PhaseTable& phases) {
  return phases.phases().at(phases.current()).label.name();
}

}  // namespace

TEST_CASE("a POST code begins a phase") {
  stats::PhaseTable phases(0);
  PhaseMarker marker(phases, {});
  marker.post_code(0x10);
  CHECK(current_name(phases) == "post 0x10");
}

TEST_CASE("the first byte sent by the interrupt-driven driver begins the phase of userspace output, once") {
  stats::PhaseTable phases(0);
  PhaseMarker marker(phases, {});
  send(marker, "kernel console\n", false);
  CHECK(current_name(phases) == "start");
  send(marker, "h", true);
  CHECK(current_name(phases) == "userspace output");
  marker.post_code(1);
  send(marker, "i", true);
  CHECK(current_name(phases) == "post 0x01");
}

TEST_CASE("the first output of userspace leaves a phase that the guest has named or marked alone") {
  using Kind = stats::PhaseLabel::Kind;
  stats::PhaseTable named(0);
  PhaseMarker names(named, {});
  named.mark(Kind::named, "work", 1);
  send(names, "hi", true);
  CHECK(current_name(named) == "work");

  stats::PhaseTable marked(0);
  PhaseMarker marks(marked, {});
  marked.mark(Kind::mark, 7, 1);
  send(marks, "hi", true);
  CHECK(marked.phases().size() == 2);
}

TEST_CASE("output after the first begins no phase, even where the first one did not") {
  stats::PhaseTable phases(0);
  PhaseMarker marker(phases, {});
  phases.mark(stats::PhaseLabel::Kind::named, "work", 1);
  send(marker, "h", true);
  marker.post_code(1);
  send(marker, "i", true);
  CHECK(current_name(phases) == "post 0x01");
}

TEST_CASE("a line of output that matches begins a phase at its end") {
  stats::PhaseTable phases(0);
  PhaseMarker marker(phases, "log.n:");
  send(marker, "host login: ");
  CHECK(current_name(phases) == "start");
  send(marker, "\n");
  CHECK(current_name(phases) == "serial /log.n:/");
}

TEST_CASE("the carriage return that ends a line is not part of it") {
  stats::PhaseTable phases(0);
  PhaseMarker marker(phases, "^done$");
  send(marker, "done\r\n");
  CHECK(current_name(phases) == "serial /^done$/");
}

TEST_CASE("a match does not reach over the end of a line") {
  stats::PhaseTable phases(0);
  PhaseMarker marker(phases, "ab");
  send(marker, "a\nb\n");
  CHECK(current_name(phases) == "start");
}

TEST_CASE("a line without an end uses no more memory than the longest that is looked at") {
  stats::PhaseTable phases(0);
  PhaseMarker marker(phases, "needle");
  send(marker, std::string(100'000, 'x') + "needle\n");
  CHECK(current_name(phases) == "start");
  send(marker, "needle\n");
  CHECK(current_name(phases) == "serial /needle/");
}

TEST_CASE("what is no regular expression is refused") {
  stats::PhaseTable phases(0);
  CHECK_THROWS_AS(PhaseMarker(phases, "(unclosed"), UsageError);
}
