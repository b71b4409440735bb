/// Text from anywhere as text of HTML, SVG and XML: nothing in it is markup.
#pragma once

#include <string>
#include <string_view>

namespace kvmbench::report {

/// Made printable, and with & < > " and ' written as character references: fit for elements and for quoted
/// attributes.
[[nodiscard]] std::string markup_escaped(std::string_view text);

}  // namespace kvmbench::report
