#include "cli/saved_report.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "cli/input_file.hpp"
#include "report/formats.hpp"

namespace kvmbench::cli {

report::Report read_report(const std::string& path) {
  constexpr std::size_t largest = std::size_t{1} << 30;  // parsed, it takes some ten times as much
  const InputFile file(path);
  const auto bytes = file.bytes();
  if (bytes.size() > largest)
    throw UsageError(fmt::format("{}: {} bytes are more than any report has", path, bytes.size()));
  return report::from_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

}  // namespace kvmbench::cli
