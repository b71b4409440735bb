/// The configuration space of one PCI function, as a configuration cycle sees it.
#pragma once

#include <cstdint>

namespace kvmbench {

/// Configuration cycles move one aligned dword with byte enables (PCI Local Bus Specification 3.0, 3.2.2.3).
class PciFunction {
 public:
  virtual ~PciFunction() = default;
  /// `offset`: 0 to 0xfc, a multiple of 4. Reserved registers read as 0 (6.1). Neither allocates nor throws;
  /// calls do not overlap, and are made with the configuration mechanism's lock held.
  virtual std::uint32_t read_config(unsigned offset) noexcept = 0;
  /// Only the bytes whose bits are set in `mask` are written.
  virtual void write_config(unsigned offset, std::uint32_t value, std::uint32_t mask) noexcept = 0;
};

}  // namespace kvmbench
