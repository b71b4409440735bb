/// The parts of a saved report that need not be there: a report of an older version lacks them, and one of a
/// run in which nothing counted them may. A further one is its line in the table of json_sections.cpp, its
/// reader and writer, its definition in docs/report.schema.json and, where runs can be added up, its sum in
/// merge.cpp.
#pragma once

#include <span>
#include <string_view>

#include "report/json_node.hpp"
#include "report/json_text.hpp"
#include "report/report.hpp"

namespace kvmbench::report {

struct JsonSection {
  const char* name;  ///< the member of the report
  unsigned since;    ///< the version that brought it
  /// null: the report has none, and the member is left out.
  WrittenJson (*write)(const Report& report);
  /// The rest of the report has been read. Where the member is absent, this is not called.
  void (*read)(const Node& node, Report& report);
};
/// In the order they are written.
[[nodiscard]] std::span<const JsonSection> json_sections();

// The sections whose code is more than a line or two.

/// What devices have done: "operations", docs/report.md. An interval's line has the same, without the figures
/// that follow from keys.
[[nodiscard]] WrittenJson write_operations(const Report& report);
[[nodiscard]] WrittenJson write_operations(const std::vector<stats::DeviceOperations>& operations);
void read_operations(const Node& node, Report& report);

/// Where in the guest exits came from: "sites".
[[nodiscard]] WrittenJson write_sites(const Report& report);
void read_sites(const Node& node, Report& report);

/// What came to memory that was protected or watched: "guarded_memory", docs/memory.md.
[[nodiscard]] WrittenJson write_guarded_memory(const Report& report);
void read_guarded_memory(const Node& node, Report& report);

}  // namespace kvmbench::report
