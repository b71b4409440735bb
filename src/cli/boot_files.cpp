#include "cli/boot_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "base/error.hpp"
#include "cli/input_file.hpp"
#include "guests/embedded.hpp"
#include "vmm/boot/acpi.hpp"

namespace kvmbench::cli {

std::span<const std::byte> built_in_image(std::string_view name) {
  const auto guests = built_in_guests();
  const auto found = std::find_if(guests.begin(), guests.end(),
                                  [name](const BuiltInGuest& guest) { return guest.name == name; });
  if (found != guests.end()) return found->image;
  std::string known;
  for (const BuiltInGuest& guest : guests)
    known += fmt::format("{}@{}", known.empty() ? "" : ", ", guest.name);
  throw UsageError(
      fmt::format("@{}: there is no such built-in guest; there are {} (kvmbench guests)", name, known));
}

boot::Loaded load_guest(const RunOptions& options, Machine& machine) {
  GuestMemory& memory = machine.memory();
  std::deque<InputFile> files;
  const auto read = [&files](const std::string& path) {
    return boot::File{path, files.emplace_back(path).bytes()};
  };
  boot::Inputs inputs;
  if (options.image.starts_with('@')) {
    inputs.image = {options.image, built_in_image(std::string_view(options.image).substr(1))};
  } else {
    inputs.image = read(options.image);
  }
  if (options.initrd) inputs.initrd = read(*options.initrd);
  for (const std::string& module : options.modules) inputs.modules.push_back(read(module));
  inputs.command_line = options.command_line;
  inputs.raw = options.raw;
  inputs.rsdp = boot::write_acpi_tables({.cpus = options.cpus,
                                         .pic = options.irqchip == Irqchip::full,
                                         .io_apic = options.irqchip != Irqchip::none,
                                         .virtio_slots = machine.virtio_slots()},
                                        memory);
  return boot::load(inputs, memory);
}

}  // namespace kvmbench::cli
