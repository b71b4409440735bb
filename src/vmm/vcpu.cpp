#include "vmm/vcpu.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/error.hpp"
#include "base/tsc.hpp"
#include "memory/memory_map.hpp"
#include "vmm/boot/gdt.hpp"

namespace kvmbench {
namespace {

// Control register and EFER bits (Intel SDM vol. 3A, 2.5 and 2.2.1).
constexpr std::uint64_t cr0_pe = 1u << 0, cr0_et = 1u << 4, cr0_pg = 1u << 31;
constexpr std::uint64_t cr4_pae = 1u << 5;
constexpr std::uint64_t efer_lme = 1u << 8, efer_lma = 1u << 10;

constexpr std::uint32_t msr_tsc = 0x10;  // IA32_TIME_STAMP_COUNTER (Intel SDM vol. 4, 2.1)

// Segment types (Intel SDM vol. 3A, 3.4.5.1 and 3.5).
constexpr std::uint8_t type_data_rw_accessed = 3, type_code_rx_accessed = 11, type_tss_busy = 11;

// Machine-check architecture (Intel SDM vol. 3B, 16.3 and 16.9.2; AMD APM vol. 2, 9.3): registers, bits, and
// the code of a memory-hierarchy error by a data access.
constexpr std::uint64_t mcg_banks = 1;
constexpr std::uint32_t msr_mcg_status = 0x17a;
constexpr std::uint64_t mcg_status_mcip = 1u << 2;
constexpr std::uint64_t mci_status_uncorrected =
    1ull << 63 | 1ull << 61 | 1ull << 60 | 1ull << 58;  // VAL, UC, EN, ADDRV
constexpr std::uint64_t mci_data_read = 0x134, mci_data_write = 0x144;

kvm_segment flat_segment(std::uint16_t selector, std::uint8_t type, bool long_mode) {
  const bool is_code = type == type_code_rx_accessed;
  kvm_segment segment{};
  segment.limit = 0xffff'ffff;
  segment.selector = selector;
  segment.type = type;
  segment.present = 1;
  segment.s = 1;
  segment.g = 1;
  segment.l = is_code && long_mode ? 1 : 0;
  segment.db = is_code && long_mode ? 0 : 1;
  return segment;
}

kvm_segment real_mode_segment(std::uint8_t type) {
  kvm_segment segment{};
  segment.limit = 0xffff;
  segment.type = type;
  segment.present = 1;
  segment.s = 1;
  return segment;
}

void set_segments(kvm_sregs& sregs, const kvm_segment& code, const kvm_segment& data) {
  sregs.cs = code;
  sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
}

void set_mode(kvm_sregs& sregs, boot::CpuMode mode) {
  if (mode == boot::CpuMode::real16) {
    set_segments(sregs, real_mode_segment(type_code_rx_accessed), real_mode_segment(type_data_rw_accessed));
    return;
  }
  const bool long_mode = mode == boot::CpuMode::long64;
  set_segments(sregs, flat_segment(boot::gdt::code_selector, type_code_rx_accessed, long_mode),
               flat_segment(boot::gdt::data_selector, type_data_rw_accessed, long_mode));
  sregs.tr.type = type_tss_busy;  // VM entry wants a busy TSS (Intel SDM vol. 3C, 27.3.1.2)
  sregs.tr.present = 1;
  sregs.tr.limit = 0x67;
  sregs.gdt.base = memory_map::boot_gdt.value;
  sregs.gdt.limit = boot::gdt::limit;
  sregs.idt.base = 0;
  sregs.idt.limit = 0;
  sregs.cr0 = cr0_pe | cr0_et;
  if (!long_mode) return;
  sregs.cr0 |= cr0_pg;
  sregs.cr3 = memory_map::boot_page_tables.value;
  sregs.cr4 = cr4_pae;
  sregs.efer = efer_lme | efer_lma;
}

}  // namespace

Vcpu::Vcpu(const Kvm& kvm, const Vm& vm, unsigned id)
    : id_(id),
      fd_(::ioctl(vm.fd(), KVM_CREATE_VCPU, static_cast<unsigned long>(id))),
      area_size_(kvm.vcpu_area_size()) {
  if (!fd_) throw HostError::from_errno(fmt::format("KVM_CREATE_VCPU of vCPU {}", id));
  void* at = ::mmap(nullptr, area_size_, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
  if (at == MAP_FAILED) throw HostError::from_errno(fmt::format("cannot map kvm_run of vCPU {}", id));
  area_ = static_cast<kvm_run*>(at);
}

Vcpu::~Vcpu() {
  if (!dirty_ring_.empty()) ::munmap(dirty_ring_.data(), dirty_ring_.size_bytes());
  ::munmap(area_, area_size_);
}

void Vcpu::set_cpuid(const std::vector<kvm_cpuid_entry2>& entries) const {
  const std::size_t bytes = sizeof(kvm_cpuid2) + entries.size() * sizeof(kvm_cpuid_entry2);
  const auto storage = std::make_unique<std::uint64_t[]>(bytes / sizeof(std::uint64_t) + 1);
  auto* table = reinterpret_cast<kvm_cpuid2*>(storage.get());
  table->nent = static_cast<std::uint32_t>(entries.size());
  std::memcpy(table->entries, entries.data(), entries.size() * sizeof(kvm_cpuid_entry2));
  if (::ioctl(fd_.get(), KVM_SET_CPUID2, table) != 0) throw HostError::from_errno("KVM_SET_CPUID2");
}

void Vcpu::set_entry(const boot::EntryState& entry) const {
  kvm_sregs sregs = special_registers();
  set_mode(sregs, entry.mode);
  if (::ioctl(fd_.get(), KVM_SET_SREGS, &sregs) != 0) throw HostError::from_errno("KVM_SET_SREGS");
  kvm_regs regs{};
  regs.rip = entry.rip;
  regs.rsp = entry.rsp;
  regs.rax = entry.rax;
  regs.rbx = entry.rbx;
  regs.rsi = entry.rsi;
  regs.rflags = 2;  // bit 1 is always set
  if (::ioctl(fd_.get(), KVM_SET_REGS, &regs) != 0) throw HostError::from_errno("KVM_SET_REGS");
}

std::uint64_t Vcpu::tsc_khz() const {
  const int khz = ::ioctl(fd_.get(), KVM_GET_TSC_KHZ, 0);
  return khz > 0 ? static_cast<std::uint64_t>(khz) : 0;
}

TscRelation Vcpu::tsc_relation() const {
  TscRelation relation;
  kvm_device_attr told{};
  told.group = KVM_VCPU_TSC_CTRL;
  told.attr = KVM_VCPU_TSC_OFFSET;
  told.addr = reinterpret_cast<std::uint64_t>(&relation.offset);
  if (::ioctl(fd_.get(), KVM_GET_DEVICE_ATTR, &told) == 0) return relation;
  return measured_tsc_relation();
}

// The guest's clock is read between two readings of the host's: the closest pair counts.
TscRelation Vcpu::measured_tsc_relation() const {
  alignas(kvm_msrs) std::array<std::byte, sizeof(kvm_msrs) + sizeof(kvm_msr_entry)> storage{};
  auto* const tsc = reinterpret_cast<kvm_msrs*>(storage.data());
  tsc->nmsrs = 1;
  tsc->entries[0].index = msr_tsc;
  TscRelation best{.offset = 0, .uncertainty = ~std::uint64_t{0}};
  constexpr unsigned tries = 16;
  for (unsigned i = 0; i < tries; ++i) {
    const std::uint64_t before = read_tsc();
    if (::ioctl(fd_.get(), KVM_GET_MSRS, tsc) != 1) throw HostError::from_errno("KVM_GET_MSRS of the TSC");
    const std::uint64_t half = (read_tsc() - before + 1) / 2;
    if (half < best.uncertainty)
      best = {.offset = tsc->entries[0].data - (before + half), .uncertainty = half};
  }
  return best;
}

void Vcpu::keep_registers(const Kvm& kvm) {
  if ((static_cast<unsigned>(kvm.extension(KVM_CAP_SYNC_REGS)) & KVM_SYNC_X86_REGS) == 0) {
    throw HostError(
        "this KVM does not leave a vCPU's registers where KVM_RUN returns (KVM_CAP_SYNC_REGS): run without "
        "--rip");
  }
  area_->kvm_valid_regs |= KVM_SYNC_X86_REGS;
}

std::uint64_t Vcpu::ask_rip() const noexcept {
  if ((area_->kvm_valid_regs & KVM_SYNC_X86_REGS) != 0) return rip();
  kvm_regs regs{};
  return ::ioctl(fd_.get(), KVM_GET_REGS, &regs) == 0 ? regs.rip : 0;
}

std::span<kvm_dirty_gfn> Vcpu::map_dirty_ring() {
  constexpr std::size_t bytes = dirty_ring_entries * sizeof(kvm_dirty_gfn), page = 4096;
  void* at =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), KVM_DIRTY_LOG_PAGE_OFFSET * page);
  if (at == MAP_FAILED) throw HostError::from_errno(fmt::format("cannot map the dirty ring of vCPU {}", id_));
  dirty_ring_ = {static_cast<kvm_dirty_gfn*>(at), dirty_ring_entries};
  return dirty_ring_;
}

void Vcpu::set_up_machine_checks(const Kvm& kvm) const {
  if (kvm.extension(KVM_CAP_MCE) <= 0)
    throw HostError("this host's KVM lacks KVM_CAP_MCE, which --protect action=inject needs");
  std::uint64_t capability = mcg_banks;  // IA32_MCG_CAP: no more than the number of banks
  if (::ioctl(fd_.get(), KVM_X86_SETUP_MCE, &capability) != 0)
    throw HostError::from_errno("KVM_X86_SETUP_MCE");
}

bool Vcpu::machine_check(Gpa at, Direction direction) const noexcept {
  alignas(kvm_msrs) std::array<std::byte, sizeof(kvm_msrs) + sizeof(kvm_msr_entry)> storage{};
  auto& request = *reinterpret_cast<kvm_msrs*>(storage.data());
  request.nmsrs = 1;
  request.entries[0].index = msr_mcg_status;
  if (::ioctl(fd_.get(), KVM_GET_MSRS, &request) != 1 || (request.entries[0].data & mcg_status_mcip) != 0) {
    return false;
  }
  kvm_x86_mce error{};
  error.status = mci_status_uncorrected | (direction == Direction::write ? mci_data_write : mci_data_read);
  error.addr = at.value;
  // RIPV and EIPV stay clear: the access is over, and without effect, when the guest is told.
  error.mcg_status = mcg_status_mcip;
  return ::ioctl(fd_.get(), KVM_X86_SET_MCE, &error) == 0;
}

UniqueFd Vcpu::stats() const noexcept {
  return UniqueFd(::ioctl(fd_.get(), KVM_GET_STATS_FD, 0));
}

kvm_coalesced_mmio_ring* Vcpu::coalesced_ring(const Kvm& kvm) const {
  // api.rst, KVM_CAP_COALESCED_MMIO: the page of the vCPU's area that the ring is in.
  constexpr std::size_t page_bytes = 4096;
  const int page = kvm.extension(KVM_CAP_COALESCED_MMIO);
  if (page <= 0 || (static_cast<std::size_t>(page) + 1) * page_bytes > area_size_) return nullptr;
  return reinterpret_cast<kvm_coalesced_mmio_ring*>(reinterpret_cast<std::byte*>(area_) +
                                                    static_cast<std::size_t>(page) * page_bytes);
}

int Vcpu::run() noexcept {
  return ::ioctl(fd_.get(), KVM_RUN, 0) == 0 ? 0 : errno;
}

void Vcpu::request_exit() noexcept {
  std::atomic_ref<std::uint8_t>(area_->immediate_exit).store(1, std::memory_order_release);
}

kvm_regs Vcpu::registers() const {
  kvm_regs regs{};
  if (::ioctl(fd_.get(), KVM_GET_REGS, &regs) != 0) throw HostError::from_errno("KVM_GET_REGS");
  return regs;
}

kvm_sregs Vcpu::special_registers() const {
  kvm_sregs sregs{};
  if (::ioctl(fd_.get(), KVM_GET_SREGS, &sregs) != 0) throw HostError::from_errno("KVM_GET_SREGS");
  return sregs;
}

std::optional<Gpa> Vcpu::translate(std::uint64_t linear) const {
  kvm_translation translation{};
  translation.linear_address = linear;
  if (::ioctl(fd_.get(), KVM_TRANSLATE, &translation) != 0 || translation.valid == 0) return std::nullopt;
  return Gpa{translation.physical_address};
}

}  // namespace kvmbench
