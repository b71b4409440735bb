/// Formats of reports as values of an option.
#pragma once

#include <string>
#include <vector>

namespace kvmbench::arguments {

[[nodiscard]] std::vector<std::string> names_of_formats();

}  // namespace kvmbench::arguments
