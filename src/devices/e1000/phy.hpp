/// The PHY inside the controller, a Marvell 88E1011, through MDIC (13.4.7; chapter 8 for its registers).
///
/// Auto-negotiation takes no time and always comes to 1000 Mb/s, full duplex.
#pragma once

#include <array>
#include <cstdint>

namespace kvmbench::e1000 {

class Phy final {
 public:
  Phy() noexcept { reset(); }

  /// MDIC. A write that starts an access completes it at once; true where it asks for an interrupt then.
  [[nodiscard]] std::uint32_t read_mdic() const noexcept { return mdic_; }
  [[nodiscard]] bool write_mdic(std::uint32_t value) noexcept;

  /// The cable: whether the other side is there.
  void set_cable(bool connected) noexcept;
  /// The link is up: there is a cable, and the PHY is neither powered down nor isolated.
  [[nodiscard]] bool link_up() const noexcept;
  /// What is sent comes back.
  [[nodiscard]] bool loopback() const noexcept;

  /// MAC reset (MDIC) and PHY reset.
  void reset_mdic() noexcept { mdic_ = 0; }
  void reset() noexcept;

 private:
  static constexpr unsigned registers = 32;

  [[nodiscard]] std::uint16_t read(unsigned number) noexcept;
  void write(unsigned number, std::uint16_t value) noexcept;

  std::uint32_t mdic_ = 0;
  std::array<std::uint16_t, registers> registers_{};
  bool cable_ = false;
  bool link_lost_ = false;  // since PSTATUS was last read: its link bit latches low (802.3, 22.2.4.2.13)
};

}  // namespace kvmbench::e1000
