/// The sections of a text report that only some runs have. Each writes nothing where the report has none.
#pragma once

#include "report/text_page.hpp"

namespace kvmbench::report {

void operations_section(TextPage& page, const Report& report);
void sites_section(TextPage& page, const Report& report);

}  // namespace kvmbench::report
