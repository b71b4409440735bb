#include "cli/saved_report.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "cli/input_file.hpp"
#include "report/formats.hpp"

namespace kvmbench::cli {

namespace {

/// The file's text, as long as it is mapped.
std::string_view text_of(const InputFile& file, const std::string& path) {
  constexpr std::size_t largest = std::size_t{1} << 30;  // parsed, it takes some ten times as much
  const auto bytes = file.bytes();
  if (bytes.size() > largest)
    throw UsageError(fmt::format("{}: {} bytes are more than any report has", path, bytes.size()));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

report::Report read_report(const std::string& path) {
  const InputFile file(path);
  return report::from_json(text_of(file, path), path);
}

report::Timeline read_timeline(const std::string& path) {
  const InputFile file(path);
  return report::timeline_from_json_lines(text_of(file, path), path);
}

}  // namespace kvmbench::cli
