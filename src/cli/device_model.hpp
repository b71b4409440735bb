/// What --devices chooses.
#pragma once

namespace kvmbench::cli {

/// Devices that exist in hardware, or such that were made for virtual machines.
enum class DeviceModel { emulated, paravirtual };

}  // namespace kvmbench::cli
