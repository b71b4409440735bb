#include "vmm/boot/handover.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "memory/memory_map.hpp"

namespace kvmbench::boot {
namespace {

constexpr std::uint64_t boot_info_max = 0x7000;

[[noreturn]] void refuse(const Inputs& inputs, Protocol protocol, const std::string& what) {
  throw UsageError(
      fmt::format("{}: is a {} image, which takes no {}", inputs.image.name, name_of(protocol), what));
}

}  // namespace

void place_command_line(const std::string& text, std::uint64_t most, LoadPlan& plan) {
  most = std::min(most, memory_map::boot_command_line_max - 1);
  if (text.size() > most) {
    throw UsageError(
        fmt::format("the command line has {} characters; the image takes at most {}", text.size(), most));
  }
  const auto bytes = std::as_bytes(std::span(text.c_str(), text.size() + 1));
  plan.place("the command line", memory_map::boot_command_line, {bytes.begin(), bytes.end()});
}

void place_boot_info(std::vector<std::byte> bytes, LoadPlan& plan) {
  if (bytes.size() > boot_info_max) {
    throw UsageError(
        fmt::format("the list of modules with their names needs {} bytes, more than the {} there are; "
                    "give fewer modules",
                    bytes.size(), boot_info_max));
  }
  plan.place("the boot information", memory_map::boot_info, std::move(bytes));
}

Gpa place_high(const File& file, std::uint64_t limit, LoadPlan& plan) {
  if (file.bytes.empty()) throw UsageError(fmt::format("{}: is an empty file", file.name));
  const auto at = plan.highest_free(file.bytes.size(), limit);
  if (!at) {
    throw UsageError(
        fmt::format("{}: its {} bytes do not fit into guest memory beside the image; give the guest "
                    "more (--mem)",
                    file.name, file.bytes.size()));
  }
  plan.place(file.name, *at, file.bytes.size(), file.bytes);
  return *at;
}

void refuse_initrd(const Inputs& inputs, Protocol protocol) {
  if (inputs.initrd) refuse(inputs, protocol, "initrd");
}

void refuse_modules(const Inputs& inputs, Protocol protocol) {
  if (!inputs.modules.empty()) refuse(inputs, protocol, "modules");
}

void refuse_command_line(const Inputs& inputs, Protocol protocol) {
  if (!inputs.command_line.empty()) refuse(inputs, protocol, "command line");
}

}  // namespace kvmbench::boot
