#include "devices/virtio/mmio_registers.hpp"

#include <linux/virtio_mmio.h>

#include <array>

namespace kvmbench::virtio {
namespace {

// Since VIRTIO 1.2; Linux's header has it later.
constexpr std::uint64_t queue_reset = 0x0c0;

struct RegisterName {
  std::uint64_t offset;
  std::string_view name;
};

constexpr std::array<RegisterName, 29> register_names = {{
    {VIRTIO_MMIO_MAGIC_VALUE, "MagicValue"},
    {VIRTIO_MMIO_VERSION, "Version"},
    {VIRTIO_MMIO_DEVICE_ID, "DeviceID"},
    {VIRTIO_MMIO_VENDOR_ID, "VendorID"},
    {VIRTIO_MMIO_DEVICE_FEATURES, "DeviceFeatures"},
    {VIRTIO_MMIO_DEVICE_FEATURES_SEL, "DeviceFeaturesSel"},
    {VIRTIO_MMIO_DRIVER_FEATURES, "DriverFeatures"},
    {VIRTIO_MMIO_DRIVER_FEATURES_SEL, "DriverFeaturesSel"},
    {VIRTIO_MMIO_QUEUE_SEL, "QueueSel"},
    {VIRTIO_MMIO_QUEUE_NUM_MAX, "QueueNumMax"},
    {VIRTIO_MMIO_QUEUE_NUM, "QueueNum"},
    {VIRTIO_MMIO_QUEUE_READY, "QueueReady"},
    {VIRTIO_MMIO_QUEUE_NOTIFY, "QueueNotify"},
    {VIRTIO_MMIO_INTERRUPT_STATUS, "InterruptStatus"},
    {VIRTIO_MMIO_INTERRUPT_ACK, "InterruptACK"},
    {VIRTIO_MMIO_STATUS, "Status"},
    {VIRTIO_MMIO_QUEUE_DESC_LOW, "QueueDescLow"},
    {VIRTIO_MMIO_QUEUE_DESC_HIGH, "QueueDescHigh"},
    {VIRTIO_MMIO_QUEUE_AVAIL_LOW, "QueueDriverLow"},
    {VIRTIO_MMIO_QUEUE_AVAIL_HIGH, "QueueDriverHigh"},
    {VIRTIO_MMIO_QUEUE_USED_LOW, "QueueDeviceLow"},
    {VIRTIO_MMIO_QUEUE_USED_HIGH, "QueueDeviceHigh"},
    {VIRTIO_MMIO_SHM_SEL, "SHMSel"},
    {VIRTIO_MMIO_SHM_LEN_LOW, "SHMLenLow"},
    {VIRTIO_MMIO_SHM_LEN_HIGH, "SHMLenHigh"},
    {VIRTIO_MMIO_SHM_BASE_LOW, "SHMBaseLow"},
    {VIRTIO_MMIO_SHM_BASE_HIGH, "SHMBaseHigh"},
    {queue_reset, "QueueReset"},
    {VIRTIO_MMIO_CONFIG_GENERATION, "ConfigGeneration"},
}};

}  // namespace

std::string_view mmio_register_name(std::uint64_t offset) noexcept {
  for (const RegisterName& entry : register_names) {
    if (offset == entry.offset) return entry.name;
  }
  return {};
}

}  // namespace kvmbench::virtio
