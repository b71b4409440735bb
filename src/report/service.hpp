/// The services that several devices give, each in its own way: so that a comparison finds the disk of either
/// machine.
#pragma once

#include <string_view>

namespace kvmbench::report {

/// "console", "disk", "network" or "entropy", by the device's name ("virtio-blk0", "e1000.0"); "" for a
/// device that stands for itself.
[[nodiscard]] std::string_view service_of(std::string_view device);

}  // namespace kvmbench::report
