/// Results of experiments for people: text, Markdown and HTML; and as CSV.
#include <fmt/format.h>

#include "base/error.hpp"
#include "report/chart/charts.hpp"
#include "report/csv_field.hpp"
#include "report/experiment_tables.hpp"
#include "report/html/page.hpp"
#include "report/markdown_page.hpp"
#include "report/text_page.hpp"

namespace kvmbench::report {

namespace {

constexpr double chart_width = 440;  // of a phone; the style lets it grow

PointChart chart_of(const ExperimentPlot& plot) {
  PointChart chart{.title = plot.title,
                   .x_title = plot.x_title,
                   .y_title = plot.y_title,
                   .series = {},
                   .lines = plot.lines};
  for (const ExperimentSeries& series : plot.series) {
    PointSeries drawn{.label = series.label, .points = {}};
    for (const auto& [x, y] : series.points) drawn.points.push_back({x, y});
    chart.series.push_back(std::move(drawn));
  }
  return chart;
}

std::string charts_of(const ExperimentResult& result) {
  if (result.plots.empty()) return {};
  std::string charts = "<div class=\"charts\">\n";
  for (const ExperimentPlot& plot : result.plots)
    charts += point_chart(chart_of(plot), chart_width).element();
  return charts + "</div>\n";
}

}  // namespace

std::string to_text(const Experiments& experiments, const RenderOptions& options) {
  TextPage page(options, Clock(0));
  for (const ExperimentResult& result : experiments.results) {
    page.heading(fmt::format("{}: {}", result.name, result.question));
    page.paragraph(result.answer);
    for (const ExperimentTable& table : result.tables) add_text(page, plain_table(table));
    page.empty_line();
    for (const std::string& sentence : remarks(result)) page.paragraph(sentence);
  }
  return page.take();
}

std::string to_markdown(const Experiments& experiments) {
  std::string out = "# kvmbench experiments\n\n";
  for (const auto& [name, fact] : experiments.host)
    out += fmt::format("- {}: {}\n", escaped(name), escaped(fact));
  for (const ExperimentResult& result : experiments.results) {
    out += fmt::format("\n## {}: {}\n\n{}\n", escaped(result.name), escaped(result.question),
                       bold(escaped(result.answer)));
    for (const ExperimentTable& table : result.tables) out += markdown(plain_table(table));
    for (const std::string& sentence : remarks(result)) out += '\n' + escaped(sentence) + '\n';
  }
  return out;
}

std::string to_html(const Experiments& experiments) {
  std::string body = "<h1>kvmbench experiments</h1>\n";
  body += section("host", "This host", facts_table("host-facts", experiments.host));
  for (const ExperimentResult& result : experiments.results) {
    std::string content = paragraph(result.answer);
    for (const std::string& sentence : remarks(result)) content += paragraph(sentence);
    content += charts_of(result);
    body += section(result.name, result.name + ": " + result.question, content);
    for (const ExperimentTable& table : result.tables) {
      PlainTable plain = plain_table(table);
      plain.id = result.name + '-' + plain.id;
      body += html(plain);
    }
  }
  return page("kvmbench experiments", body);
}

std::string to_svg(const Experiments& experiments) {
  constexpr double width = 640, gap = 24;
  Drawing drawing("kvmbench experiments", width);
  double end = 0;
  for (const ExperimentResult& result : experiments.results) {
    for (const ExperimentPlot& plot : result.plots) {
      PointChart chart = chart_of(plot);
      chart.title = fmt::format("{}: {}", result.name, chart.title);
      end = draw_points(drawing, end, chart) + gap;
    }
  }
  if (end == 0) throw UsageError("--format svg: none of these experiments has a plot");
  return drawing.file();
}

std::string to_csv(const Experiments& experiments) {
  std::string out;
  for (const ExperimentResult& result : experiments.results) {
    for (const ExperimentTable& table : result.tables) {
      PlainTable plain = plain_table(table);
      plain.id = result.name + ' ' + plain.id;
      for (std::size_t i = 0; i < plain.columns.size(); ++i) plain.columns[i].title = table.columns[i].key;
      plain.columns.push_back({.title = "not_here", .words = true});
      for (std::size_t i = 0; i < plain.rows.size(); ++i)
        plain.rows[i].push_back({table.rows[i].not_here, ""});
      out += csv(plain);
    }
  }
  return out.empty() ? out : out.substr(1);  // the empty line before the first table
}

}  // namespace kvmbench::report
