#include "arguments/formats.hpp"

#include "report/formats.hpp"

namespace kvmbench::arguments {

std::vector<std::string> names_of_formats() {
  std::vector<std::string> names;
  for (const report::Format& format : report::formats()) names.emplace_back(format.name);
  return names;
}

}  // namespace kvmbench::arguments
