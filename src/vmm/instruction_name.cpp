// Opcodes: Intel SDM vol. 2D, appendix A (opcode map).

#include <algorithm>
#include <cstdint>
#include <optional>

#include "vmm/crash_report.hpp"

namespace kvmbench {
namespace {

/// An opcode, and which value of ModRM.reg (or -1 for any) it stands for.
struct Opcode {
  std::uint8_t map;  ///< 1: one byte, 2: after 0f
  std::uint8_t byte;
  int reg;
  const char* name;
};

constexpr Opcode opcodes[] = {
    {1, 0xcc, -1, "int3"},
    {1, 0xcd, -1, "int"},
    {1, 0xcf, -1, "iret"},
    {1, 0xf4, -1, "hlt"},
    {1, 0x6c, -1, "insb"},
    {1, 0x6d, -1, "ins"},
    {1, 0x6e, -1, "outsb"},
    {1, 0x6f, -1, "outs"},
    {1, 0xe4, -1, "in"},
    {1, 0xe5, -1, "in"},
    {1, 0xe6, -1, "out"},
    {1, 0xe7, -1, "out"},
    {1, 0xec, -1, "in"},
    {1, 0xed, -1, "in"},
    {1, 0xee, -1, "out"},
    {1, 0xef, -1, "out"},
    {1, 0xf1, -1, "int1"},
    {2, 0x05, -1, "syscall"},
    {2, 0x07, -1, "sysret"},
    {2, 0x08, -1, "invd"},
    {2, 0x09, -1, "wbinvd"},
    {2, 0x0b, -1, "ud2"},
    {2, 0x20, -1, "mov from cr"},
    {2, 0x21, -1, "mov from dr"},
    {2, 0x22, -1, "mov to cr"},
    {2, 0x23, -1, "mov to dr"},
    {2, 0x30, -1, "wrmsr"},
    {2, 0x31, -1, "rdtsc"},
    {2, 0x32, -1, "rdmsr"},
    {2, 0x33, -1, "rdpmc"},
    {2, 0xa2, -1, "cpuid"},
    {2, 0xae, 0, "fxsave"},
    {2, 0xae, 1, "fxrstor"},
    {2, 0xae, 2, "ldmxcsr"},
    {2, 0xae, 3, "stmxcsr"},
    {2, 0xae, 4, "xsave"},
    {2, 0xae, 5, "xrstor"},
    {2, 0xae, 6, "xsaveopt"},
    {2, 0xae, 7, "clflush"},
    {2, 0xc7, 3, "xrstors"},
    {2, 0xc7, 4, "xsavec"},
    {2, 0xc7, 5, "xsaves"},
    {2, 0xc7, 6, "rdrand or vmptrld"},
    {2, 0xc7, 7, "rdseed or vmptrst"},
};

bool is_legacy_prefix(std::uint8_t byte) {
  constexpr std::uint8_t prefixes[] = {0xf0, 0xf2, 0xf3, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65, 0x66, 0x67};
  return std::find(std::begin(prefixes), std::end(prefixes), byte) != std::end(prefixes);
}

}  // namespace

std::string instruction_name(std::span<const std::byte> bytes) {
  std::size_t at = 0;
  const auto next = [&]() -> std::optional<std::uint8_t> {
    if (at >= bytes.size()) return std::nullopt;
    return static_cast<std::uint8_t>(bytes[at++]);
  };
  auto byte = next();
  while (byte && is_legacy_prefix(*byte)) byte = next();
  if (!byte) return {};
  if (*byte == 0xc4 || *byte == 0xc5) return "an AVX instruction (VEX)";
  if (*byte == 0x62) return "an AVX-512 instruction (EVEX)";
  std::uint8_t rex = 0;
  if ((*byte & 0xf0) == 0x40) {
    rex = *byte;
    byte = next();
  }
  std::uint8_t map = 1;
  if (byte == 0x0f) {
    map = 2;
    byte = next();
  }
  if (!byte) return {};
  const auto modrm = next();
  const int reg = modrm ? (*modrm >> 3) & 7 : -1;
  const bool rex_w = (rex & 8) != 0;
  if (map == 2 && *byte == 0xc7 && reg == 1) return rex_w ? "cmpxchg16b" : "cmpxchg8b";
  for (const Opcode& opcode : opcodes) {
    if (opcode.map == map && opcode.byte == *byte && (opcode.reg == -1 || opcode.reg == reg))
      return opcode.name;
  }
  return {};
}

}  // namespace kvmbench
