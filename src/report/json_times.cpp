#include "report/json_times.hpp"

#include "report/names.hpp"
#include "stats/histogram.hpp"

namespace kvmbench::report {

WrittenJson figures(const stats::TimeStats& times) {
  WrittenJson value{{"count", times.count()}, {"sum", times.sum}, {"min", times.min}, {"mean", times.mean()}};
  for (const Percentile& percentile : percentiles) {
    value[std::string(percentile.name)] = times.quantile(percentile.quantile);
  }
  value["max"] = times.max;
  return value;
}

WrittenJson figures_and_histogram(const stats::TimeStats& times) {
  WrittenJson histogram = WrittenJson::array();
  for (std::size_t i = 0; i < stats::buckets::count; ++i) {
    if (times.histogram.in_bucket(i) != 0)
      histogram.push_back(WrittenJson::array({i, times.histogram.in_bucket(i)}));
  }
  WrittenJson value = figures(times);
  value["histogram"] = std::move(histogram);
  return value;
}

void read_times(const Node& node, BoundedSum& values, BoundedSum& cycles, stats::TimeStats& times) {
  node.expect_members({"count", "sum", "min", "mean", "p50", "p90", "p99", "p99.9", "max", "histogram"});
  std::size_t next = 0;
  for (const Node& pair : node["histogram"].elements(stats::buckets::count)) {
    const Node::Elements bucket = pair.elements(2);
    if (bucket.size() != 2) pair.refuse("a bucket is a pair of its index and its count");
    auto of_bucket = bucket.begin();
    const std::size_t index = (*of_bucket).number(stats::buckets::count - 1);
    if (index < next) (*of_bucket).refuse("buckets come in ascending order, each once");
    next = index + 1;
    const Node& in_bucket = *++of_bucket;
    const std::uint64_t count = in_bucket.number(std::numeric_limits<std::uint64_t>::max(), 1);
    values.add(count, in_bucket);
    times.histogram.add_to_bucket(index, count);
  }
  if (node["count"].number() != times.count()) node["count"].refuse("not the sum of the histogram");
  times.sum = node["sum"].number();
  times.min = node["min"].number();
  times.max = node["max"].number();
  cycles.add(times.sum, node["sum"]);
  if (times.min > times.max) node["min"].refuse("above the maximum");
}

}  // namespace kvmbench::report
