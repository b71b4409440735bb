/// What --net asks for: network cards, and what each is connected to on the host.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/device_model.hpp"
#include "devices/clock.hpp"
#include "devices/mac_address.hpp"
#include "devices/network_backend.hpp"
#include "hostio/alarm_thread.hpp"
#include "vmm/pci_network_cards.hpp"
#include "vmm/virtio_slot.hpp"

namespace kvmbench::cli {

/// "02:6b:76:6d:62:00", the address of one station. Throws UsageError, which names `option`.
[[nodiscard]] MacAddress parse_mac_address(const std::string& option, const std::string& text);

/// Outlives the machine.
class Networks final {
 public:
  /// Reads the options and opens what they name. Throws UsageError, HostError.
  /// `model`: that of cards whose options do not say; paravirtual where it is not given.
  explicit Networks(const std::vector<std::string>& specs, std::optional<DeviceModel> model = {});

  /// Those that are virtio devices.
  [[nodiscard]] std::vector<VirtioAttachment> virtio();
  /// Those on PCI.
  [[nodiscard]] std::vector<PciNetworkCard> pci();

  /// Frames pass while it lives: from when the machine is built to before it is destroyed.
  class Traffic final {
   public:
    /// Throws HostError.
    explicit Traffic(Networks& networks);
    Traffic(const Traffic&) = delete;
    Traffic& operator=(const Traffic&) = delete;
    ~Traffic();

   private:
    Networks& networks_;
  };

 private:
  struct Link {
    std::string name;  ///< the card's
    MacAddress address;
    VirtioOptions connection;                    ///< of a virtio device
    std::unique_ptr<hostio::AlarmThread> alarm;  ///< of a card on PCI
    std::unique_ptr<NetworkBackend> backend;
    FrameReceiver* card = nullptr;     ///< once the machine is built
    AlarmListener* alarmed = nullptr;  ///< the same, on PCI
  };

  void add(const std::string& spec, DeviceModel model);
  void stop() noexcept;

  HostMonotonicClock clock_;
  std::deque<Link> links_;
};

}  // namespace kvmbench::cli
