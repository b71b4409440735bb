#include "cli/served_run.hpp"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "base/error.hpp"
#include "report/formats.hpp"
#include "report/html/html.hpp"
#include "report/openmetrics.hpp"
#include "report/units.hpp"
#include "serve/endpoint.hpp"

namespace kvmbench::cli {
namespace {

/// The first line of a file.
std::optional<std::string> read_token(const std::string& path) {
  if (path.empty()) return std::nullopt;
  constexpr std::size_t longest = 1024;
  std::ifstream file(path);
  std::string token;
  if (!std::getline(file, token) || token.empty() || token.size() > longest) {
    throw UsageError(fmt::format(
        "--serve-token {}: the file's first line is to be a token of 1 to {} characters", path, longest));
  }
  return token;
}

}  // namespace

ServedRun::ServedRun(const std::string& endpoint, const std::string& token_file,
                     std::function<report::Report()> report_so_far, std::function<stats::Snapshot()> snapshot)
    : report_so_far_(std::move(report_so_far)),
      snapshot_(std::move(snapshot)),
      last_(snapshot_()),
      has_token_(!token_file.empty()),
      server_({.endpoint = serve::parse_endpoint(endpoint),
               .token = read_token(token_file),
               .tick = [this] { look(); }},
              [this](const std::string& path) { return content_of(path); }) {}

std::string ServedRun::url() const {
  std::ostringstream text;
  text << "http://" << server_.endpoint() << '/';
  return text.str();
}

bool ServedRun::open_to_all() const {
  return !has_token_ && !server_.endpoint().address().is_loopback();
}

void ServedRun::look() {
  stats::Snapshot now = snapshot_();
  const report::Clock clock(now.tsc_khz);
  if (clock.known() && now.taken > last_.taken) {
    timeline_.add(clock.seconds(static_cast<double>(now.taken - last_.taken)),
                  report::exits_by_reason(now - last_));
  }
  last_ = std::move(now);
}

std::optional<serve::Content> ServedRun::content_of(const std::string& path) {
  constexpr unsigned reload_seconds = 5;
  if (path == "/metrics") {
    return serve::Content{"application/openmetrics-text; version=1.0.0; charset=utf-8",
                          report::to_openmetrics(report_so_far_())};
  }
  if (path == "/snapshot") return serve::Content{"application/json", report::to_json(report_so_far_())};
  if (path == "/") {
    return serve::Content{
        "text/html; charset=utf-8",
        report::to_html(report_so_far_(), {.timeline = &timeline_, .reload_seconds = reload_seconds})};
  }
  return std::nullopt;
}

}  // namespace kvmbench::cli
