/// The networks that --net can name.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "devices/network_backend.hpp"

namespace kvmbench::hostio {

struct Network {
  std::unique_ptr<NetworkBackend> backend;
  std::string notice;  ///< what the user should know of it, or ""
};

/// `spec`: tap=NAME, socket=PATH, echo or sink; `pcap`: a file for its frames. Throws UsageError, HostError.
[[nodiscard]] Network open_network(const std::string& spec, const std::optional<std::string>& pcap);

}  // namespace kvmbench::hostio
