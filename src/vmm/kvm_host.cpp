#include "vmm/kvm_host.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "vmm/text_file.hpp"

namespace kvmbench {
namespace {

namespace fs = std::filesystem;

/// Every parameter of the module that can be read; nullopt where it is not loaded.
std::optional<std::map<std::string, std::string, std::less<>>> module_parameters(const fs::path& module) {
  std::error_code error;
  if (!fs::is_directory(module, error)) return std::nullopt;
  std::map<std::string, std::string, std::less<>> parameters;
  for (const fs::directory_entry& entry : fs::directory_iterator(module / "parameters", error)) {
    const TextFile file = read_text(entry.path());
    if (file.error.empty()) parameters.emplace(entry.path().filename().string(), file.text);
  }
  return parameters;
}

/// An MSR of the first CPU, by the msr driver (its file offset is the MSR's number).
std::optional<std::uint64_t> read_msr(const UniqueFd& msrs, std::uint32_t number) {
  std::uint64_t value = 0;
  if (!msrs || ::pread(msrs.get(), &value, sizeof(value), number) != sizeof(value)) return std::nullopt;
  return value;
}

bool has_bit(const std::optional<std::uint64_t>& value, unsigned bit) {
  return value && ((*value >> bit) & 1) != 0;
}

/// Intel SDM vol. 3, appendix A.3: the secondary and tertiary controls exist where the allowed 1-settings of
/// the primary ones have "activate secondary controls" (bit 31) and "activate tertiary controls" (bit 17).
stats::KvmHost::Controls read_controls(const fs::path& root) {
  const UniqueFd msrs(::open((root / "dev/cpu/0/msr").c_str(), O_RDONLY | O_CLOEXEC));
  stats::KvmHost::Controls controls;
  controls.pin_based = read_msr(msrs, 0x481);
  controls.processor_based = read_msr(msrs, 0x482);
  if (has_bit(controls.processor_based, 63)) controls.processor_based2 = read_msr(msrs, 0x48b);
  if (has_bit(controls.processor_based, 49)) controls.processor_based3 = read_msr(msrs, 0x492);
  return controls;
}

}  // namespace

stats::KvmHost read_kvm_host(const fs::path& root) {
  stats::KvmHost host;
  if (const TextFile cpuinfo = read_text(root / "proc/cpuinfo"); cpuinfo.error.empty()) {
    host = stats::parse_cpuinfo(cpuinfo.text);
  }
  host.vendor = stats::Vendor::unknown;
  if (auto parameters = module_parameters(root / "sys/module/kvm_intel")) {
    host.vendor = stats::Vendor::vmx;
    host.parameters = std::move(*parameters);
    host.controls = read_controls(root);
  } else if ((parameters = module_parameters(root / "sys/module/kvm_amd"))) {
    host.vendor = stats::Vendor::svm;
    host.parameters = std::move(*parameters);
  }
  return host;
}

}  // namespace kvmbench
