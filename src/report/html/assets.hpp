/// What every page brings with it.
#pragma once

#include <string_view>

namespace kvmbench::report {

[[nodiscard]] std::string_view page_style();   ///< CSS, beside chart_style(), whose colours it uses
[[nodiscard]] std::string_view page_script();  ///< sorts and filters tables of class "sortable"

}  // namespace kvmbench::report
