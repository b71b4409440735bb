/// Results of experiments as JSON: docs/experiment.schema.json.
#include <array>

#include "report/experiment.hpp"
#include "report/json_text.hpp"
#include "report/names.hpp"

namespace kvmbench::report {
namespace {

using Json = WrittenJson;

constexpr std::array<std::string_view, 8> unit_names{
    "words", "count", "cycles", "seconds", "per_second", "bytes_per_second", "ratio", "share"};

Json json_of(const ExperimentCell& cell) {
  if (const auto* words = std::get_if<std::string>(&cell)) return *words;
  if (const auto* number = std::get_if<double>(&cell)) return *number;
  if (const auto* spread = std::get_if<Spread>(&cell)) {
    return {{"median", spread->median},
            {"min", spread->least},
            {"max", spread->most},
            {"repetitions", spread->repetitions}};
  }
  return nullptr;
}

Json json_of(const ExperimentTable& table) {
  Json columns = Json::array(), rows = Json::array();
  for (const ExperimentColumn& column : table.columns) {
    columns.push_back({{"key", column.key},
                       {"title", column.title},
                       {"unit", unit_names.at(static_cast<std::size_t>(column.unit))}});
  }
  for (const ExperimentRow& row : table.rows) {
    Json cells = Json::object();
    for (std::size_t i = 0; i < table.columns.size() && i < row.cells.size(); ++i)
      cells[table.columns[i].key] = json_of(row.cells[i]);
    if (!row.not_here.empty()) cells["not_here"] = row.not_here;
    rows.push_back(std::move(cells));
  }
  return {
      {"id", table.id}, {"title", table.title}, {"columns", columns}, {"rows", rows}, {"notes", table.notes}};
}

Json json_of(const ExperimentPlot& plot) {
  Json series = Json::array();
  for (const ExperimentSeries& one : plot.series) {
    Json points = Json::array();
    for (const auto& [x, y] : one.points) points.push_back(Json::array({x, y}));
    series.push_back({{"label", one.label}, {"points", points}});
  }
  return {
      {"id", plot.id}, {"title", plot.title}, {"x", plot.x_title}, {"y", plot.y_title}, {"series", series}};
}

Json json_of(const ExperimentSample& sample) {
  Json guest = Json::array();
  for (const GuestFigures& figures : sample.guest) {
    Json line = Json::object();
    line["arm"] = figures.arm;
    for (const auto& [name, value] : figures.numbers) line[name] = value;
    guest.push_back(std::move(line));
  }
  Json json = {{"arm", sample.arm},
               {"repetition", sample.repetition},
               {"status", sample.status},
               {"wall_seconds", sample.wall_seconds},
               {"cpu_seconds", sample.cpu_seconds},
               {"exits", sample.exits},
               {"kernel_exits", or_null(sample.kernel_exits)},
               {"run_seconds", sample.run_seconds},
               {"service_seconds", sample.service_seconds},
               {"kernel_seconds", or_null(sample.kernel_seconds)},
               {"guest_seconds", or_null(sample.guest_seconds)},
               {"guest", guest}};
  if (!sample.failure.empty()) json["failure"] = sample.failure;
  return json;
}

Json json_of(const ExperimentResult& result) {
  Json tables = Json::array(), plots = Json::array(), exact = Json::array(), samples = Json::array();
  for (const ExperimentTable& table : result.tables) tables.push_back(json_of(table));
  for (const ExperimentPlot& plot : result.plots) plots.push_back(json_of(plot));
  for (const ExactCount& count : result.exact)
    exact.push_back({{"what", count.what}, {"expected", count.expected}, {"counted", count.counted}});
  for (const ExperimentSample& sample : result.samples) samples.push_back(json_of(sample));
  return {{"name", result.name},
          {"question", result.question},
          {"answer", result.answer},
          {"sound", result.sound()},
          {"budget_seconds", result.budget_seconds},
          {"wall_seconds", result.wall_seconds},
          {"tables", tables},
          {"plots", plots},
          {"exact_counts", exact},
          {"failures", result.failures},
          {"samples", samples}};
}

}  // namespace

std::string to_json(const Experiments& experiments) {
  Json host = Json::array(), results = Json::array();
  for (const auto& [name, value] : experiments.host) host.push_back({{"name", name}, {"value", value}});
  for (const ExperimentResult& result : experiments.results) results.push_back(json_of(result));
  const Json document = {
      {"format", "kvmbench-experiments"}, {"version", 1}, {"kvmbench", experiments.kvmbench_version},
      {"started", experiments.started},   {"host", host}, {"experiments", results}};
  return json_text(document, 6);
}

}  // namespace kvmbench::report
