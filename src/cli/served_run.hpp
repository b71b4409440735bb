/// run --serve: what a run's report says so far, over HTTP.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "report/report.hpp"
#include "report/timeline.hpp"
#include "serve/http_server.hpp"

namespace kvmbench::cli {

class ServedRun final {
 public:
  /// `report_so_far` and `snapshot` are called on the server's thread. `token_file` holds the token that a
  /// client has to know;
  /// "" for none. Throws UsageError where the endpoint is no endpoint or is taken, or the file cannot be
  /// read.
  ServedRun(const std::string& endpoint, const std::string& token_file,
            std::function<report::Report()> report_so_far, std::function<stats::Snapshot()> snapshot);

  /// "http://127.0.0.1:9550/".
  [[nodiscard]] std::string url() const;
  /// Whether anybody on the network may read it.
  [[nodiscard]] bool open_to_all() const;

 private:
  [[nodiscard]] std::optional<serve::Content> content_of(const std::string& path);
  void look();

  // Of the server's thread alone.
  const std::function<report::Report()> report_so_far_;
  const std::function<stats::Snapshot()> snapshot_;
  report::Timeline timeline_;
  stats::Snapshot last_;

  bool has_token_;
  serve::HttpServer server_;
};

}  // namespace kvmbench::cli
