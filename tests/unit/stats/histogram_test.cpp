#include "stats/histogram.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <utility>
#include <vector>

using namespace kvmbench::stats;

namespace {

double relative_error(Cycles value) {
  const auto read_back = static_cast<double>(buckets::middle(buckets::index_of(value)));
  return std::abs(read_back - static_cast<double>(value)) / static_cast<double>(value);
}

/// Values of every magnitude alike: cycle counts spread over decades.
Cycles log_uniform(std::mt19937_64& random, unsigned bits) {
  const unsigned width = std::uniform_int_distribution<unsigned>(0, bits)(random);
  return width == 0 ? 0 : (random() >> (64 - width));
}

Histogram random_histogram(std::mt19937_64& random, int values) {
  Histogram made;
  for (int i = 0; i < values; ++i) made.add(log_uniform(random, 45));
  return made;
}

}  // namespace

TEST_CASE("buckets are contiguous and cover every value") {
  REQUIRE(buckets::count == 593);  // 32 of one value, 35 powers of two of 16 each, the last
  CHECK(buckets::lower_bound(0) == 0);
  for (std::size_t i = 0; i + 1 < buckets::count; ++i) {
    CAPTURE(i);
    REQUIRE(buckets::lower_bound(i) < buckets::upper_bound(i));
    REQUIRE(buckets::upper_bound(i) == buckets::lower_bound(i + 1));
    REQUIRE(buckets::index_of(buckets::lower_bound(i)) == i);
    REQUIRE(buckets::index_of(buckets::upper_bound(i) - 1) == i);
    REQUIRE(buckets::middle(i) >= buckets::lower_bound(i));
    REQUIRE(buckets::middle(i) < buckets::upper_bound(i));
  }
  CHECK(buckets::upper_bound(buckets::count - 1) == ~Cycles{0});
}

TEST_CASE("a value below 32 has a bucket of its own") {
  for (Cycles value = 0; value < 32; ++value) {
    CHECK(buckets::index_of(value) == value);
    CHECK(buckets::middle(value) == value);
  }
  CHECK(buckets::index_of(32) == 32);
  CHECK(buckets::index_of(33) == 32);
  CHECK(buckets::index_of(34) == 33);
}

TEST_CASE("values from 2^40 on share the last bucket") {
  const std::size_t last = buckets::count - 1;
  CHECK(buckets::index_of((Cycles{1} << 40) - 1) == last - 1);
  CHECK(buckets::index_of(Cycles{1} << 40) == last);
  CHECK(buckets::index_of(~Cycles{0}) == last);
  CHECK(buckets::lower_bound(last) == Cycles{1} << 40);
}

TEST_CASE("a value read back is at most 3.2 % off, from 1 to 2^40") {
  double worst = 0;
  const auto check = [&](Cycles value) {
    if (value < 1 || value > Cycles{1} << 40) return;
    const double error = relative_error(value);
    if (error > 0.032) FAIL(value << " is read back as " << buckets::middle(buckets::index_of(value)));
    worst = std::max(worst, error);
  };
  for (Cycles value = 1; value <= 1'000'000; ++value) check(value);
  for (std::size_t i = 0; i < buckets::count; ++i) {
    const Cycles border = buckets::lower_bound(i);
    for (Cycles offset = 0; offset <= 64; ++offset) {
      check(border + offset);
      check(border - offset);
      check(buckets::middle(i) + offset);
      check(buckets::middle(i) - offset);
    }
  }
  std::mt19937_64 random(1);
  for (int i = 0; i < 1'000'000; ++i) check(log_uniform(random, 40));
  CHECK(worst <= 1.0 / 32);
}

TEST_CASE("an empty histogram has quantiles of 0") {
  const Histogram empty;
  CHECK(empty.count() == 0);
  CHECK(empty.quantile(0) == 0);
  CHECK(empty.quantile(1) == 0);
}

TEST_CASE("a quantile is the value of rank ceil(q n)") {
  Histogram ten;
  for (Cycles value = 1; value <= 10; ++value) ten.add(value);
  CHECK(ten.quantile(0) == 1);
  CHECK(ten.quantile(0.1) == 1);
  CHECK(ten.quantile(0.11) == 2);
  CHECK(ten.quantile(0.5) == 5);
  CHECK(ten.quantile(0.7) == 7);
  CHECK(ten.quantile(0.9) == 9);
  CHECK(ten.quantile(0.99) == 10);
  CHECK(ten.quantile(1) == 10);
  CHECK(ten.quantile(-1) == 1);
  CHECK(ten.quantile(2) == 10);
}

TEST_CASE("no rank is off by the rounding of its fraction") {
  Histogram first;  // 0.07 * 100 is above 7 in binary
  first.add(1, 7);
  first.add(2, 93);
  CHECK(first.quantile(0.07) == 1);
  CHECK(first.quantile(0.0701) == 2);
}

TEST_CASE("a quantile is at most 3.2 % off the exact one") {
  std::mt19937_64 random(2);
  for (int round = 0; round < 50; ++round) {
    std::vector<Cycles> values;
    Histogram histogram;
    for (int i = 0; i < 1000; ++i) {
      values.push_back(log_uniform(random, 40));
      histogram.add(values.back());
    }
    std::sort(values.begin(), values.end());
    for (const auto& [quantile, rank] :
         {std::pair(0.5, 500), {0.9, 900}, {0.99, 990}, {0.999, 999}, {1.0, 1000}}) {
      const auto exact = static_cast<double>(values[static_cast<std::size_t>(rank) - 1]);
      CHECK(std::abs(static_cast<double>(histogram.quantile(quantile)) - exact) <= 0.032 * exact);
    }
  }
}

TEST_CASE("merging histograms is commutative and associative and subtracting undoes it") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 100; ++round) {
    const Histogram a = random_histogram(random, 200);
    const Histogram b = random_histogram(random, 50);
    const Histogram c = random_histogram(random, 1);
    Histogram ab = a;
    ab += b;
    Histogram ba = b;
    ba += a;
    CHECK(ab == ba);
    CHECK(ab.count() == 250);

    Histogram ab_c = ab;
    ab_c += c;
    Histogram bc = b;
    bc += c;
    Histogram a_bc = a;
    a_bc += bc;
    CHECK(ab_c == a_bc);

    ab -= a;
    CHECK(ab == b);
    ab -= b;
    CHECK(ab == Histogram{});
  }
}

TEST_CASE("a histogram rebuilt bucket by bucket is the same") {
  std::mt19937_64 random(4);
  const Histogram made = random_histogram(random, 500);
  Histogram rebuilt;
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < buckets::count; ++i) {
    rebuilt.add_to_bucket(i, made.in_bucket(i));
    all += made.in_bucket(i);
  }
  CHECK(rebuilt == made);
  CHECK(all == 500);
}
