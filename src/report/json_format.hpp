/// What the JSON format's writer and reader share.
#pragma once

#include <string_view>

namespace kvmbench::report {

inline constexpr std::string_view json_format = "kvmbench-report";
inline constexpr std::string_view json_interval_format = "kvmbench-interval";
/// Counted up whenever a reader of the version before would misread a report.
inline constexpr unsigned json_version = 2;
/// Versions from here on are read.
inline constexpr unsigned oldest_json_version = 1;

}  // namespace kvmbench::report
