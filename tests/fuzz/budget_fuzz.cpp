/// Any bytes as a budget: they are refused with a UsageError, or each expectation has an outcome of one line.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "report/budget.hpp"
#include "sample.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kvmbench;
  static const report::Report report = report::testing::traced_report();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    for (const report::Expectation& expectation : report::parse_budget(text, "budget")) {
      try {
        const std::string words = report::in_words(expectation, report::check(expectation, report));
        for (const char c : words) {
          if (static_cast<unsigned char>(c) < 0x20) std::abort();
        }
      } catch (const UsageError&) {
      }
    }
  } catch (const UsageError&) {
  }
  return 0;
}
