#include "arguments/duration.hpp"

#include <cstdlib>
#include <map>
#include <string>

namespace kvmbench::arguments {
namespace {

const std::map<std::string, double> seconds_by_unit = {
    {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}};

}  // namespace

void takes_duration(CLI::Option& option) {
  option.option_text("TIME");
  option.transform(CLI::AsNumberWithUnit(seconds_by_unit, CLI::AsNumberWithUnit::CASE_SENSITIVE, "TIME"));
  option.check([](const std::string& text) {
    const double seconds = std::strtod(text.c_str(), nullptr);
    const bool possible = seconds >= 1e-3 && seconds <= 1e5 * 3600;
    return possible ? std::string() : std::string("a time is 1ms to 100000h");
  });
}

}  // namespace kvmbench::arguments
