#include "cli/guests.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "guests/embedded.hpp"

namespace kvmbench::cli {

int guests() {
  std::size_t widest = 0;
  for (const BuiltInGuest& guest : built_in_guests()) widest = std::max(widest, guest.name.size());
  for (const BuiltInGuest& guest : built_in_guests()) {
    fmt::print("@{:<{}}  {}\n", guest.name, widest, guest.description);
    if (!guest.options.empty()) fmt::print(" {:<{}}  --cmdline: {}\n", "", widest, guest.options);
  }
  return 0;
}

}  // namespace kvmbench::cli
