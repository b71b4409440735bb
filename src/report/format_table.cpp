#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "report/formats.hpp"
#include "report/printable.hpp"

namespace kvmbench::report {
namespace {

using Options = RenderOptions;

constexpr std::array table{
    Format{"text", to_text},
    Format{"json", [](const Report& report, const Options&) { return to_json(report); }},
    Format{"csv", [](const Report& report, const Options&) { return to_csv(report); }},
    Format{"markdown", [](const Report& report,
                          const Options& options) { return to_markdown(report, options.split_phases); }},
};

}  // namespace

std::span<const Format> formats() {
  return table;
}

const Format& format_named(std::string_view name) {
  const auto found =
      std::find_if(table.begin(), table.end(), [=](const Format& format) { return format.name == name; });
  if (found == table.end()) {
    throw UsageError(
        fmt::format("{}: there is no such format; there are {}", printable(name), format_names()));
  }
  return *found;
}

std::string format_names() {
  std::string names;
  for (const Format& format : table) names += fmt::format("{}{}", names.empty() ? "" : "|", format.name);
  return names;
}

}  // namespace kvmbench::report
