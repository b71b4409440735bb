/// A debug console port: a byte written comes out on the host. Port 0xe9 as in Bochs (user manual,
/// port_e9_hack) and 0x402 as SeaBIOS and OVMF use it (QEMU's isa-debugcon). Reads give 0xe9, by which a
/// guest knows the port is there.
#pragma once

#include <string>

#include "devices/character_sink.hpp"
#include "devices/device.hpp"

namespace kvmbench {

class DebugConsole final : public Device {
 public:
  static constexpr std::uint64_t size = 1;
  static constexpr std::uint8_t presence = 0xe9;

  DebugConsole(std::string name, CharacterSink& sink);

  std::uint64_t read(std::uint64_t offset, unsigned width) noexcept override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept override;
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::string register_name(std::uint64_t offset, Direction direction) const override;

 private:
  const std::string name_;
  CharacterSink& sink_;
};

}  // namespace kvmbench
