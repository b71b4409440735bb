#include "vmm/kvm.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/error.hpp"

namespace kvmbench {
namespace {

constexpr int api_version_wanted = 12;  // api.rst 4.1: "must be 12"; it has been since Linux 2.6.22

UniqueFd open_device(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (fd) return fd;
  const int error = errno;
  const char* advice = "";
  if (error == ENOENT || error == ENXIO || error == ENODEV) {
    advice =
        ": load kvm_intel or kvm_amd, and see that virtualisation is on in the firmware or outer machine";
  } else if (error == EACCES || error == EPERM) {
    advice = ": join the group that owns it (often 'kvm'), or run as root";
  }
  throw HostError(fmt::format("cannot open {}: {}{}", path, std::strerror(error), advice));
}

}  // namespace

const std::vector<Capability>& capabilities() {
#define CAPABILITY(NAME) NAME, #NAME
  static const std::vector<Capability> all = {
      {CAPABILITY(KVM_CAP_USER_MEMORY), true, "guest memory from this process's own"},
      {CAPABILITY(KVM_CAP_EXT_CPUID), true, "CPUID of a vCPU"},
      {CAPABILITY(KVM_CAP_IMMEDIATE_EXIT), true, "stopping a vCPU without losing the request"},
      {CAPABILITY(KVM_CAP_SET_TSS_ADDR), true, "real mode on Intel CPUs"},
      {CAPABILITY(KVM_CAP_IRQCHIP), true, "interrupt controllers in the kernel"},
      {CAPABILITY(KVM_CAP_IRQFD), true, "interrupts raised by an eventfd"},
      {CAPABILITY(KVM_CAP_GET_TSC_KHZ), true, "the TSC's frequency"},
      {CAPABILITY(KVM_CAP_SET_IDENTITY_MAP_ADDR), false,
       "real mode on Intel CPUs without unrestricted guest"},
      {CAPABILITY(KVM_CAP_PIT2), false, "the 8254 timer in the kernel (--irqchip full)"},
      {CAPABILITY(KVM_CAP_SPLIT_IRQCHIP), false,
       "local APICs in the kernel, I/O APIC here (--irqchip split)"},
      {CAPABILITY(KVM_CAP_SIGNAL_MSI), false, "interrupt messages (--irqchip split)"},
      {CAPABILITY(KVM_CAP_IRQ_ROUTING), false, "interrupt routes (--irqchip split)"},
      {CAPABILITY(KVM_CAP_X2APIC_API), false, "APIC IDs above 254: more than 255 vCPUs"},
      {CAPABILITY(KVM_CAP_TSC_DEADLINE_TIMER), false, "the local APIC timer's TSC-deadline mode"},
      {CAPABILITY(KVM_CAP_NR_VCPUS), false, "recommended number of vCPUs"},
      {CAPABILITY(KVM_CAP_MAX_VCPUS), false, "greatest number of vCPUs"},
      {CAPABILITY(KVM_CAP_BINARY_STATS_FD), false, "the kernel's own counters of a VM"},
      {CAPABILITY(KVM_CAP_X86_USER_SPACE_MSR), false, "MSR accesses served here"},
      {CAPABILITY(KVM_CAP_X86_MSR_FILTER), false, "choosing which MSRs are served here"},
      {CAPABILITY(KVM_CAP_SYNC_REGS), false, "registers shared in kvm_run"},
      {CAPABILITY(KVM_CAP_IOEVENTFD), false, "doorbells that need no userspace exit"},
      {CAPABILITY(KVM_CAP_DIRTY_LOG_RING), false, "a ring of modified pages"},
      {CAPABILITY(KVM_CAP_HALT_POLL), false, "how long KVM polls for a halted vCPU, by machine"},
      {CAPABILITY(KVM_CAP_X86_DISABLE_EXITS), false, "HLT, PAUSE, MWAIT without an exit"},
      {CAPABILITY(KVM_CAP_READONLY_MEM), false, "read-only guest memory"},
  };
#undef CAPABILITY
  return all;
}

void check_requirements(int api_version, const std::function<int(long)>& extension) {
  if (api_version != api_version_wanted) {
    throw HostError(
        fmt::format("this host's KVM speaks API version {}; version {} is needed (Linux 2.6.22 or later)",
                    api_version, api_version_wanted));
  }
  std::string missing;
  for (const Capability& capability : capabilities()) {
    if (!capability.required || extension(capability.number) > 0) continue;
    missing += fmt::format("{}{} ({})", missing.empty() ? "" : ", ", capability.name, capability.purpose);
  }
  if (!missing.empty()) {
    throw HostError(
        fmt::format("this host's KVM lacks {}; use a newer kernel (Linux 4.13 or later)", missing));
  }
}

Kvm::Kvm(const std::string& path) : fd_(open_device(path)) {
  const int version = ::ioctl(fd_.get(), KVM_GET_API_VERSION, 0);
  if (version < 0)
    throw HostError::from_errno(fmt::format("{} is not a KVM device: KVM_GET_API_VERSION", path));
  check_requirements(version, [this](long capability) { return extension(capability); });
}

int Kvm::extension(long capability) const {
  const int answer = ::ioctl(fd_.get(), KVM_CHECK_EXTENSION, capability);
  return answer < 0 ? 0 : answer;
}

std::vector<kvm_cpuid_entry2> Kvm::supported_cpuid() const {
  for (std::uint32_t room = 128;; room *= 2) {
    const std::size_t bytes = sizeof(kvm_cpuid2) + room * sizeof(kvm_cpuid_entry2);
    const auto storage = std::make_unique<std::uint64_t[]>(bytes / sizeof(std::uint64_t) + 1);
    auto* table = reinterpret_cast<kvm_cpuid2*>(storage.get());
    table->nent = room;
    if (::ioctl(fd_.get(), KVM_GET_SUPPORTED_CPUID, table) == 0) {
      return {table->entries, table->entries + table->nent};
    }
    if (errno != E2BIG || room > 4096) throw HostError::from_errno("KVM_GET_SUPPORTED_CPUID");
  }
}

std::size_t Kvm::vcpu_area_size() const {
  const int size = ::ioctl(fd_.get(), KVM_GET_VCPU_MMAP_SIZE, 0);
  if (size < static_cast<int>(sizeof(kvm_run))) throw HostError::from_errno("KVM_GET_VCPU_MMAP_SIZE");
  return static_cast<std::size_t>(size);
}

UniqueFd Kvm::create_vm() const {
  for (;;) {
    UniqueFd vm(::ioctl(fd_.get(), KVM_CREATE_VM, 0));
    if (vm) return vm;
    if (errno != EINTR) throw HostError::from_errno("KVM_CREATE_VM");
  }
}

}  // namespace kvmbench
