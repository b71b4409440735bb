#include "report/units.hpp"

#include <catch2/catch.hpp>

namespace kvmbench::report {
namespace {

TEST_CASE("digits are grouped by three") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1'000) == "1,000");
  CHECK(grouped(1'000'000'000'000) == "1,000,000,000,000");
  CHECK(grouped(UINT64_MAX) == "18,446,744,073,709,551,615");
}

TEST_CASE("a share neither vanishes nor becomes all by rounding") {
  CHECK(per_cent(1, 3) == "33.3");
  CHECK(per_cent(0, 3) == "0.0");
  CHECK(per_cent(3, 3) == "100.0");
  CHECK(per_cent(1, 1'000'000) == "<0.1");
  CHECK(per_cent(999'999, 1'000'000) == ">99.9");
  CHECK(per_cent(0, 0) == "-");
}

TEST_CASE("a ratio has three digits at least") {
  CHECK(ratio(0) == "0");
  CHECK(ratio(0.01234) == "0.0123");
  CHECK(ratio(0.9996) == "1.00");
  CHECK(ratio(1.5) == "1.50");
  CHECK(ratio(12.34) == "12.3");
  CHECK(ratio(1234.4) == "1,234");
  CHECK(ratio(1e30) == "1e+30");
  CHECK(ratio(std::nullopt) == "-");
}

TEST_CASE("durations have three digits and the unit that suits") {
  CHECK(duration(0) == "0 ns");
  CHECK(duration(0.385e-9) == "0.39 ns");
  CHECK(duration(385e-9) == "385 ns");
  CHECK(duration(12.34e-6) == "12.3 µs");
  CHECK(duration(1.2e-3) == "1.20 ms");
  CHECK(duration(2.35) == "2.35 s");
  CHECK(duration(86'400) == "86400 s");
}

TEST_CASE("a duration that rounds up to a thousand takes the next unit") {
  CHECK(duration(999.4e-9) == "999 ns");
  CHECK(duration(999.6e-9) == "1.00 µs");
  CHECK(duration(9.996e-6) == "10.0 µs");
  CHECK(duration(99.96e-6) == "100 µs");
}

TEST_CASE("cycles are told in seconds by the TSC's frequency") {
  CHECK(Clock(2'000'000).show(std::uint64_t{2'000}) == "1.00 µs");
  CHECK(Clock(2'500'000).nanoseconds(5.0) == Approx(2.0));
}

TEST_CASE("cycles stay cycles where the frequency is not known") {
  CHECK(Clock(0).show(std::uint64_t{1'234}) == "1234 cycles");
}

}  // namespace
}  // namespace kvmbench::report
