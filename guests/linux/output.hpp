/// Samples as text and as JSON. Every function returns whole lines.
#pragma once

#include <optional>
#include <string>

#include "guests/linux/sample.hpp"

namespace kvmbench::guest {

[[nodiscard]] std::string total_text(const Sample& sample);
[[nodiscard]] std::string reasons_text(const Sample& sample, const kvmbench_interface& interface);
/// `growth`: what has come since the sample before; nothing in the first one.
[[nodiscard]] std::string watch_text(const Sample& sample, const std::optional<Sample>& growth,
                                     const kvmbench_interface& interface);
[[nodiscard]] std::string run_text(const Sample& growth, const kvmbench_interface& interface);

/// One line. `growth` becomes a member "increase".
[[nodiscard]] std::string sample_json(const Sample& sample, const std::optional<Sample>& growth,
                                      const kvmbench_interface& interface);

}  // namespace kvmbench::guest
