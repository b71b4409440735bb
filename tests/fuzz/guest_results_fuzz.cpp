/// Any bytes as what a guest has written: what is read of it stays within its bounds, and written again as
/// lines gives the same.
#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "experiments/guest_results.hpp"

namespace {

using kvmbench::experiments::GuestResults;
using kvmbench::experiments::parse_guest_results;
using kvmbench::report::GuestFigures;

void check(bool holds) {
  if (!holds) std::abort();
}

std::string written(const GuestResults& results) {
  std::string text;
  for (const GuestFigures& figures : results.results) {
    text += "result arm=" + figures.arm;
    for (const auto& [name, value] : figures.numbers) text += fmt::format(" {}={}", name, value);
    text += "\r\n";
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const GuestResults results = parse_guest_results({reinterpret_cast<const char*>(data), size});
  check(results.results.size() <= GuestResults::most_results);
  check(results.unavailable.size() <= GuestResults::most_results);
  for (const auto& [arm, why] : results.unavailable) {
    check(!arm.empty() && arm.size() <= GuestResults::longest_name);
    check(why.find_first_of("\n\x1b") == std::string::npos);
  }
  const GuestResults again = parse_guest_results(written(results));
  check(again.malformed == 0 && again.results.size() == results.results.size());
  for (std::size_t i = 0; i < results.results.size(); ++i) {
    const GuestFigures& figures = results.results[i];
    check(figures.arm.size() <= GuestResults::longest_name);
    check(figures.numbers.size() <= GuestResults::most_numbers);
    check(again.results[i].arm == figures.arm && again.results[i].numbers == figures.numbers);
    check(results.find(figures.arm) == &figures);
  }
  return 0;
}
