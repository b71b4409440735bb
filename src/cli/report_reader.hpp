/// Reads many saved reports, on several threads, in their order.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "report/report.hpp"

namespace kvmbench::cli {

class ReportReader final {
 public:
  /// Begins to read. `files` has to outlive this. No more than a few reports are kept that next() has not
  /// given yet, however many files there are.
  explicit ReportReader(const std::vector<std::string>& files);
  ReportReader(const ReportReader&) = delete;
  ReportReader& operator=(const ReportReader&) = delete;
  /// What has not been begun is not read.
  ~ReportReader();

  /// The next file's; at most as many times as there are files. Throws UsageError, as read_report() does.
  [[nodiscard]] report::Report next();

 private:
  using Slot = std::variant<std::monostate, report::Report, std::exception_ptr>;

  void read();
  [[nodiscard]] static Slot result_of(const std::string& file);

  const std::vector<std::string>& files_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Slot> slots_;  ///< a ring: of those that are read ahead
  std::size_t begun_ = 0;    ///< files that a thread has taken
  std::size_t given_ = 0;    ///< files that next() has given
  bool stop_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace kvmbench::cli
