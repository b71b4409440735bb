#include "arguments/formats.hpp"

#include "report/formats.hpp"

namespace kvmbench::arguments {

void takes_format(CLI::Option& option, const std::vector<std::string>& further) {
  std::vector<std::string> names;
  for (const report::Format& format : report::formats()) names.emplace_back(format.name);
  names.insert(names.end(), further.begin(), further.end());
  option.option_text(CLI::detail::join(names, "|"));
  option.check(CLI::IsMember(names));
}

}  // namespace kvmbench::arguments
