/// The text format of OpenMetrics 1.0.0, as strict as its specification.
#pragma once

#include <string>
#include <string_view>

namespace kvmbench::report::testing {

/// What is wrong with a text: grammar (3.1.1), the order and the uniqueness of families and samples (3.2),
/// the suffixes of each type and the rules of histograms (2.5). "" where nothing is. Exemplars, timestamps
/// and the types that this program does not write are taken for mistakes.
[[nodiscard]] std::string violation(std::string_view text);

}  // namespace kvmbench::report::testing
