/// kvmbench guests: the guest programs that it carries.
#pragma once

namespace kvmbench::cli {

[[nodiscard]] int guests();

}  // namespace kvmbench::cli
