#include "devices/debug_console.hpp"

#include <utility>

#include "devices/register_access.hpp"

namespace kvmbench {

DebugConsole::DebugConsole(std::string name, CharacterSink& sink) : name_(std::move(name)), sink_(sink) {}

std::uint64_t DebugConsole::read(std::uint64_t offset, unsigned width) noexcept {
  return read_bytes(offset, width, size, [](std::uint64_t) { return presence; });
}

void DebugConsole::write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept {
  write_bytes(offset, width, value, size, [this](std::uint64_t, std::uint8_t byte) { sink_.put(byte); });
}

std::string DebugConsole::register_name(std::uint64_t offset, Direction) const {
  return offset < size ? "DATA" : unnamed_register(offset);
}

}  // namespace kvmbench
