/// Any bytes as a saved report: they are refused with a UsageError of one line, or every format renders what
/// was read, and JSON gives it back unchanged, alone and merged.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "report/budget.hpp"
#include "report/compare.hpp"
#include "report/formats.hpp"
#include "report/merge.hpp"

namespace {

using namespace kvmbench;
using namespace kvmbench::report;

void render(const Report& report) {
  for (const Format& format : formats()) {
    const std::string text = format.render(report, {.width = 40, .split_phases = true});
    for (const char c : text) {
      if (static_cast<unsigned char>(c) < 0x20 && c != '\n') std::abort();
    }
    if (format.compare != nullptr)
      (void)format.compare(compare({{"a", &report}, {"b", &report}}), {.width = 40});
  }
}

void add_up(const Report& report) {
  Merger merger;
  merger.add(report, "report");
  const std::string text = to_json(merger.take());
  Merger again;
  again.add(from_json(text, "merged"), "merged");
  if (to_json(again.take()) != text) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  try {
    const Report report = from_json(input, "report");
    const std::string text = to_json(report);
    if (to_json(from_json(text, "again")) != text) std::abort();
    render(report);
    add_up(report);
    (void)parse_budget(budget_of(report, 0.1), "budget");
  } catch (const UsageError& error) {
    if (std::string_view(error.what()).find('\n') != std::string_view::npos) std::abort();
  }
  return 0;
}
