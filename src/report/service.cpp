#include "report/service.hpp"

#include <array>

namespace kvmbench::report {
namespace {

struct Kind {
  std::string_view device;  ///< its name without its number
  std::string_view service;
};
constexpr std::array kinds{
    Kind{"uart", "console"},       Kind{"virtio-console", "console"}, Kind{"ata", "disk"},
    Kind{"piix3-ide", "disk"},     Kind{"virtio-blk", "disk"},        Kind{"e1000", "network"},
    Kind{"virtio-net", "network"}, Kind{"virtio-rng", "entropy"},
};

}  // namespace

std::string_view service_of(std::string_view device) {
  const auto is_number = [](std::string_view text) {
    if (text.starts_with('.')) text.remove_prefix(1);
    return text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  for (const Kind& kind : kinds) {
    if (device.starts_with(kind.device) && is_number(device.substr(kind.device.size()))) return kind.service;
  }
  return {};
}

}  // namespace kvmbench::report
