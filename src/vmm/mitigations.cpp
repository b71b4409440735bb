#include "vmm/mitigations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "vmm/text_file.hpp"

namespace kvmbench {
namespace {

/// "Retpolines; STIBP: disabled; ..." tells how in its first clause; "VMX: ..." is what every VM entry pays.
std::string essence(std::string_view how) {
  std::string shown;
  for (std::size_t at = 0; at < how.size();) {
    const std::size_t end = std::min(how.find(';', at), how.size());
    const std::string_view clause = trimmed(how.substr(at, end - at));
    if (shown.empty()) {
      shown = clause;
    } else if (clause.starts_with("VMX:")) {
      shown += "; " + std::string(clause);
    }
    at = end + 1;
  }
  return shown;
}

std::string with_detail(const std::string& name, std::string_view detail) {
  const std::string shown = essence(detail);
  return shown.empty() ? name : fmt::format("{} ({})", name, shown);
}

/// Drops `prefix` and what separates it from the rest.
bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  while (text.starts_with(':') || text.starts_with(',') || text.starts_with(' ')) text.remove_prefix(1);
  return true;
}

}  // namespace

std::string summarise_mitigations(const std::filesystem::path& directory) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    files.push_back(it->path());
  }
  if (error) return fmt::format("unknown (cannot list the kernel's vulnerabilities: {})", error.message());
  std::sort(files.begin(), files.end());

  std::vector<std::string> vulnerable, mitigated, unclear;
  std::size_t not_affected = 0;
  for (const std::filesystem::path& file : files) {
    const std::string name = file.filename().string();
    const TextFile content = read_text(file);
    std::string_view state = trimmed(content.text);
    take(state, "KVM");  // itlb_multihit: "KVM: Mitigation: ..."
    if (!content.error.empty()) {
      unclear.push_back(fmt::format("{} ({})", name, content.error));
    } else if (take(state, "Not affected")) {
      ++not_affected;
    } else if (take(state, "Mitigation")) {
      mitigated.push_back(with_detail(name, state));
    } else if (take(state, "Vulnerable") || take(state, "Processor vulnerable")) {
      vulnerable.push_back(with_detail(name, state));
    } else {
      unclear.push_back(with_detail(name, state));
    }
  }
  std::string line;
  const auto add = [&](const char* what, const std::vector<std::string>& names) {
    if (!names.empty()) line += fmt::format("{}: {}; ", what, fmt::join(names, ", "));
  };
  add("vulnerable", vulnerable);
  add("mitigated", mitigated);
  add("unclear", unclear);
  return line + fmt::format("{} not affecting this CPU", not_affected);
}

}  // namespace kvmbench
