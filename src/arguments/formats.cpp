#include "arguments/formats.hpp"

#include "report/formats.hpp"

namespace kvmbench::arguments {

namespace {

void takes_one_of(CLI::Option& option, const std::vector<std::string>& names) {
  option.option_text(CLI::detail::join(names, "|"));
  option.check(CLI::IsMember(names));
}

}  // namespace

void takes_format(CLI::Option& option, Shows what) {
  std::vector<std::string> names;
  for (const report::Format& format : report::formats()) {
    if (what == Shows::reports || format.experiments != nullptr) names.emplace_back(format.name);
  }
  takes_one_of(option, names);
}

void takes_format(CLI::Option& option, const std::vector<std::string>& further) {
  std::vector<std::string> names;
  for (const report::Format& format : report::formats()) names.emplace_back(format.name);
  names.insert(names.end(), further.begin(), further.end());
  takes_one_of(option, names);
}

}  // namespace kvmbench::arguments
