/// A table of a result that kvmbench bench has saved, to be shown beside this host's. The file may come from
/// anywhere.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "report/experiment.hpp"

namespace kvmbench::experiments {

class SavedTable final {
 public:
  /// Throws UsageError naming `path` where it cannot be read, or has no such experiment with such a table.
  [[nodiscard]] static SavedTable read(const std::string& path, std::string_view experiment,
                                       std::string_view table);
  /// Likewise of a document's text.
  [[nodiscard]] static SavedTable parse(std::string_view text, const std::string& name,
                                        std::string_view experiment, std::string_view table);

  /// By the row's first column, and the column's key: nothing where there is none. Texts are printable.
  [[nodiscard]] report::ExperimentCell cell(std::string_view row, std::string_view column) const;
  /// Of the host that it was saved on; "unknown" where it does not say.
  [[nodiscard]] std::string host_fact(std::string_view name) const;

 private:
  using Cells = std::map<std::string, report::ExperimentCell, std::less<>>;
  std::map<std::string, Cells, std::less<>> rows_;
  std::map<std::string, std::string, std::less<>> host_;
};

}  // namespace kvmbench::experiments
