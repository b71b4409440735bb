/// The port of the power-on self-test codes, 0x80: each code written marks a phase of the run.
#pragma once

#include <atomic>

#include "devices/device.hpp"

namespace kvmbench {

class PhaseMarks {
 public:
  virtual ~PhaseMarks() = default;
  /// On a vCPU's thread.
  virtual void post_code(std::uint8_t code) noexcept = 0;
};

class PostPort final : public Device {
 public:
  static constexpr std::uint64_t size = 1;

  explicit PostPort(PhaseMarks& marks) noexcept : marks_(marks) {}

  /// The last code written; 0 before the first.
  std::uint64_t read(std::uint64_t offset, unsigned width) noexcept override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept override;
  [[nodiscard]] std::string_view name() const override { return "post"; }
  [[nodiscard]] std::string register_name(std::uint64_t offset, Direction direction) const override;

 private:
  PhaseMarks& marks_;
  std::atomic<std::uint8_t> code_{0};
};

}  // namespace kvmbench
