/// /dev/kvm itself: what this host's KVM is and can do. (Documentation/virt/kvm/api.rst)
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.hpp"
#include "vmm/linux_kvm.hpp"

namespace kvmbench {

/// One KVM capability: what it is called, and what this program does with it.
struct Capability {
  long number;            ///< KVM_CAP_*
  std::string_view name;  ///< "KVM_CAP_IRQFD"
  bool required;
  std::string_view purpose;
};
[[nodiscard]] const std::vector<Capability>& capabilities();

/// Throws HostError unless the API version is 12 and every required capability is there; the message names
/// all that are missing. `extension` answers KVM_CHECK_EXTENSION.
void check_requirements(int api_version, const std::function<int(long)>& extension);

class Kvm final {
 public:
  /// Opens the device and checks the requirements. Throws HostError, which says what to do.
  explicit Kvm(const std::string& path = "/dev/kvm");

  /// KVM_CHECK_EXTENSION: 0 where absent, else 1 or a figure that the capability defines.
  [[nodiscard]] int extension(long capability) const;
  /// KVM_GET_SUPPORTED_CPUID.
  [[nodiscard]] std::vector<kvm_cpuid_entry2> supported_cpuid() const;
  /// KVM_GET_VCPU_MMAP_SIZE, bytes.
  [[nodiscard]] std::size_t vcpu_area_size() const;
  /// KVM_CREATE_VM.
  [[nodiscard]] UniqueFd create_vm() const;

 private:
  UniqueFd fd_;
};

}  // namespace kvmbench
