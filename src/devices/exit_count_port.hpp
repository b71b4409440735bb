/// The ports by which a guest asks for its own exit counts and names its phases. (docs/guest-interface.md,
/// "Ports")
///
/// Each vCPU has registers of its own, so that queries of several vCPUs do not meet and nothing is locked.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "devices/device.hpp"
#include "devices/exit_count_page.hpp"
#include "memory/guest_memory.hpp"
#include "stats/exit_counts.hpp"
#include "stats/guest_query.hpp"

namespace kvmbench {

/// Which vCPU's access is being served.
class CurrentVcpu {
 public:
  virtual ~CurrentVcpu() = default;
  /// Index of the vCPU on whose thread this is called; any other number elsewhere.
  [[nodiscard]] virtual unsigned current() const noexcept = 0;
};

/// Takes the phases that a guest names. On a vCPU's thread.
class GuestPhases {
 public:
  virtual ~GuestPhases() = default;
  virtual void mark(std::uint32_t number) noexcept = 0;
  /// 1 to KVMBENCH_NAME_MAX printable ASCII characters.
  virtual void named(std::string_view name) noexcept = 0;
};

class ExitCountPort final : public Device {
 public:
  static constexpr std::uint64_t size = KVMBENCH_PORT_COUNT;

  /// What belongs to one vCPU; both outlive the device.
  struct Vcpu {
    const stats::ExitCounts* counts;
    ExitCountPage* page;  ///< nullptr where there are no pages
  };

  /// `features` has KVMBENCH_FEATURE_PORT where queries are answered; the registers of what it lacks are
  /// reserved. `vcpus` by index.
  ExitCountPort(const std::vector<Vcpu>& vcpus, std::uint32_t features,
                const stats::HardwareAccount& hardware, const CurrentVcpu& current, GuestMemory& memory,
                GuestPhases& phases);

  std::uint64_t read(std::uint64_t offset, unsigned width) noexcept override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept override;
  [[nodiscard]] std::string_view name() const override { return "exit-counts"; }
  [[nodiscard]] std::string register_name(std::uint64_t offset, Direction direction) const override;

 private:
  /// A vCPU's registers; its thread alone touches them.
  struct alignas(64) Registers {
    Vcpu vcpu;
    std::uint32_t leaf = 0;
    std::array<std::uint32_t, 4> answer{0, 0, 0, KVMBENCH_UNDEFINED};
    std::size_t next = 0;  ///< of the answer's words
    std::uint32_t block_status = KVMBENCH_BLOCK_DONE;
    std::array<char, KVMBENCH_NAME_MAX> name{};
    std::size_t name_length = 0;
  };

  [[nodiscard]] Registers* registers() noexcept;
  void ask(Registers& registers, std::uint32_t reason) const noexcept;
  [[nodiscard]] std::uint32_t answer_block(const stats::ExitCounts& counts, Gpa address) noexcept;
  void add_to_name(Registers& registers, std::uint32_t characters) noexcept;

  std::vector<Registers> registers_;
  const std::uint32_t features_;
  const stats::HardwareAccount& hardware_;
  const CurrentVcpu& current_;
  GuestMemory& memory_;
  GuestPhases& phases_;
};

}  // namespace kvmbench
