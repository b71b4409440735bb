#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "report/compare.hpp"
#include "report/compare_charts.hpp"
#include "report/experiment.hpp"
#include "report/formats.hpp"
#include "report/html/html.hpp"
#include "report/openmetrics.hpp"
#include "report/printable.hpp"
#include "report/sites.hpp"

namespace kvmbench::report {
namespace {

using Options = RenderOptions;

constexpr std::array table{
    Format{"text", to_text, to_text, to_text},
    Format{"json", [](const Report& report, const Options&) { return to_json(report); },
           [](const Comparison& comparison, const Options&) { return to_json(comparison); },
           [](const Experiments& experiments, const Options&) { return to_json(experiments); }},
    Format{"csv", [](const Report& report, const Options&) { return to_csv(report); },
           [](const Comparison& comparison, const Options&) { return to_csv(comparison); },
           [](const Experiments& experiments, const Options&) { return to_csv(experiments); }},
    Format{"markdown",
           [](const Report& report, const Options& options) {
             return to_markdown(report, options.split_phases);
           },
           [](const Comparison& comparison, const Options&) { return to_markdown(comparison); },
           [](const Experiments& experiments, const Options&) { return to_markdown(experiments); }},
    Format{"html",
           [](const Report& report, const Options& options) {
             return to_html(report, {.timeline = options.timeline});
           },
           [](const Comparison& comparison, const Options&) { return to_html(comparison); },
           [](const Experiments& experiments, const Options&) { return to_html(experiments); }},
    Format{"svg",
           [](const Report& report, const Options& options) {
             return to_svg(report, options.chart, options.timeline);
           },
           [](const Comparison& comparison, const Options&) { return to_svg(comparison); },
           [](const Experiments& experiments, const Options&) { return to_svg(experiments); }},
    Format{"folded", [](const Report& report, const Options&) { return to_folded(report); }, nullptr,
           nullptr},
    Format{"openmetrics", [](const Report& report, const Options&) { return to_openmetrics(report); },
           [](const Comparison& comparison, const Options&) { return to_openmetrics(comparison); },
           [](const Experiments& experiments, const Options&) { return to_openmetrics(experiments); }},
};

}  // namespace

std::span<const Format> formats() {
  return table;
}

const Format& format_named(std::string_view name) {
  const auto found =
      std::find_if(table.begin(), table.end(), [=](const Format& format) { return format.name == name; });
  if (found == table.end()) throw UsageError(fmt::format("{}: there is no such format", printable(name)));
  return *found;
}

}  // namespace kvmbench::report
