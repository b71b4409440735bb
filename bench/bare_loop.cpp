// The least that runs a guest: KVM_RUN in a loop that records nothing. What kvmbench costs is measured
// against it.
//
//   bare_loop IMAGE [COMMAND-LINE]
//
// The machine is as kvmbench's: 128 MiB, one vCPU, interrupt chips and PIT in KVM, the CPUID that KVM
// supports. A byte written to 0x3f8 comes out on stdout, by the line; a write to 0xf4 ends the program with
// that status; all other writes vanish, all reads give what was there.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <exception>

#include "base/error.hpp"
#include "memory/guest_memory.hpp"
#include "memory/memory_map.hpp"
#include "vmm/boot/boot.hpp"
#include "vmm/boot/gdt.hpp"
#include "vmm/linux_kvm.hpp"

namespace {

using kvmbench::Gpa;
using kvmbench::GuestMemory;
using kvmbench::HostError;

constexpr std::uint64_t memory_size = 128 << 20;
constexpr std::uint16_t serial_data = 0x3f8, debug_exit = 0xf4;

template <typename... Argument>
int checked_ioctl(int fd, unsigned long request, const char* name, Argument... argument) {
  const int result = ::ioctl(fd, request, argument...);
  if (result < 0) throw HostError::from_errno(name);
  return result;
}

class File final {
 public:
  explicit File(const char* path) : name_(path) {
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    size_ = static_cast<std::size_t>(::lseek(fd, 0, SEEK_END));
    at_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    if (fd < 0 || at_ == MAP_FAILED) throw HostError::from_errno(path);
    ::close(fd);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { ::munmap(at_, size_); }
  [[nodiscard]] kvmbench::boot::File contents() const {
    return {name_, {static_cast<const std::byte*>(at_), size_}};
  }

 private:
  const char* name_;
  std::size_t size_;
  void* at_;
};

int create_vm(int kvm, GuestMemory& memory) {
  const int vm = checked_ioctl(kvm, KVM_CREATE_VM, "KVM_CREATE_VM", 0);
  checked_ioctl(vm, KVM_SET_TSS_ADDR, "KVM_SET_TSS_ADDR", kvmbench::memory_map::kvm_tss.value);
  // Memory first: with the interrupt chips KVM puts devices on its buses, and on some kernels (6.18) a change
  // of the memory map that comes after that waits milliseconds for a grace period.
  kvm_userspace_memory_region region{};
  region.memory_size = memory.size();
  region.userspace_addr = reinterpret_cast<std::uint64_t>(memory.regions()[0].bytes.data());
  checked_ioctl(vm, KVM_SET_USER_MEMORY_REGION, "KVM_SET_USER_MEMORY_REGION", &region);
  checked_ioctl(vm, KVM_CREATE_IRQCHIP, "KVM_CREATE_IRQCHIP", 0);
  kvm_pit_config pit{};
  checked_ioctl(vm, KVM_CREATE_PIT2, "KVM_CREATE_PIT2", &pit);
  return vm;
}

void copy_cpuid(int kvm, int vcpu) {
  constexpr std::uint32_t entries = 256;
  alignas(kvm_cpuid2) std::array<std::byte, sizeof(kvm_cpuid2) + entries * sizeof(kvm_cpuid_entry2)>
      storage{};
  auto* table = reinterpret_cast<kvm_cpuid2*>(storage.data());
  table->nent = entries;
  checked_ioctl(kvm, KVM_GET_SUPPORTED_CPUID, "KVM_GET_SUPPORTED_CPUID", table);
  checked_ioctl(vcpu, KVM_SET_CPUID2, "KVM_SET_CPUID2", table);
}

/// Flat 32-bit protected mode, as PVH has it.
void enter_at(int vcpu, const kvmbench::boot::EntryState& entry) {
  kvm_sregs sregs{};
  checked_ioctl(vcpu, KVM_GET_SREGS, "KVM_GET_SREGS", &sregs);
  kvm_segment data{};
  data.limit = 0xffff'ffff;
  data.selector = kvmbench::boot::gdt::data_selector;
  data.type = 3;
  data.present = data.db = data.s = data.g = 1;
  sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
  sregs.cs = data;
  sregs.cs.selector = kvmbench::boot::gdt::code_selector;
  sregs.cs.type = 11;
  sregs.tr.type = 11;
  sregs.tr.present = 1;
  sregs.tr.limit = 0x67;
  sregs.cr0 = 0x11;  // PE, ET
  checked_ioctl(vcpu, KVM_SET_SREGS, "KVM_SET_SREGS", &sregs);
  kvm_regs regs{};
  regs.rip = entry.rip;
  regs.rbx = entry.rbx;
  regs.rflags = 2;
  checked_ioctl(vcpu, KVM_SET_REGS, "KVM_SET_REGS", &regs);
}

class Output final {
 public:
  void put(char byte) {
    line_[length_++] = byte;
    if (byte == '\n' || length_ == line_.size()) flush();
  }

 private:
  void flush() {
    if (::write(STDOUT_FILENO, line_.data(), length_) < 0) throw HostError::from_errno("stdout");
    length_ = 0;
  }
  std::array<char, 4096> line_;
  std::size_t length_ = 0;
};

/// Gives what the guest writes to 0xf4.
int run(int vcpu, kvm_run& area) {
  Output output;
  for (;;) {
    if (::ioctl(vcpu, KVM_RUN, 0) != 0) {
      if (errno == EINTR) continue;
      throw HostError::from_errno("KVM_RUN");
    }
    if (area.exit_reason == KVM_EXIT_IO) {
      const char value = *(reinterpret_cast<const char*>(&area) + area.io.data_offset);
      if (area.io.port == serial_data) output.put(value);
      if (area.io.port == debug_exit) return value;
    } else if (area.exit_reason != KVM_EXIT_MMIO) {
      std::fprintf(stderr, "bare_loop: KVM_RUN returned for reason %u\n", area.exit_reason);
      return 5;
    }
  }
}

int run_guest(const char* image, const char* command_line) {
  const int kvm = ::open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (kvm < 0) throw HostError::from_errno("/dev/kvm");
  GuestMemory memory(memory_size);
  const int vm = create_vm(kvm, memory);
  const int vcpu = checked_ioctl(vm, KVM_CREATE_VCPU, "KVM_CREATE_VCPU", 0);
  const auto area_size =
      static_cast<std::size_t>(checked_ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, "KVM_GET_VCPU_MMAP_SIZE", 0));
  void* area = ::mmap(nullptr, area_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
  if (area == MAP_FAILED) throw HostError::from_errno("kvm_run");
  copy_cpuid(kvm, vcpu);

  const File file(image);
  kvmbench::boot::Inputs inputs;
  inputs.image = file.contents();
  inputs.command_line = command_line;
  const kvmbench::boot::Loaded loaded = kvmbench::boot::load(inputs, memory);
  if (loaded.protocol != kvmbench::boot::Protocol::pvh) {
    throw kvmbench::UsageError("bare_loop runs PVH images only");
  }
  enter_at(vcpu, loaded.entry);
  return run(vcpu, *static_cast<kvm_run*>(area));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fputs("usage: bare_loop IMAGE [COMMAND-LINE]\n", stderr);
    return 2;
  }
  try {
    return run_guest(argv[1], argc == 3 ? argv[2] : "");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bare_loop: %s\n", error.what());
    return 4;
  }
}
