#include "vmm/vm.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "memory/memory_map.hpp"

namespace kvmbench {
namespace {

constexpr unsigned widest_8_bit_ids = 255;  // APIC IDs 0 to 254; 255 is the broadcast
constexpr unsigned pic_inputs = 8;          // of each of the two 8259s
constexpr unsigned isa_irqs = 2 * pic_inputs;
constexpr std::size_t msi_routes_max = gsi_count + 1;  // a pin's each, and one that no pin has

/// Exits that KVM_CAP_X86_DISABLE_EXITS may disable.
struct DisablableExit {
  std::string_view name;
  std::uint64_t bit;
};
constexpr std::array disablable = {DisablableExit{"hlt", KVM_X86_DISABLE_EXITS_HLT},
                                   DisablableExit{"pause", KVM_X86_DISABLE_EXITS_PAUSE},
                                   DisablableExit{"mwait", KVM_X86_DISABLE_EXITS_MWAIT},
                                   DisablableExit{"cstate", KVM_X86_DISABLE_EXITS_CSTATE}};

/// Room for a kvm_irq_routing with its entries: its last member is an array without a size.
template <std::size_t Entries>
struct RoutingTable {
  alignas(kvm_irq_routing)
      std::array<std::byte, sizeof(kvm_irq_routing) + Entries * sizeof(kvm_irq_routing_entry)> storage{};

  [[nodiscard]] kvm_irq_routing& get() noexcept {
    return *reinterpret_cast<kvm_irq_routing*>(storage.data());
  }
  /// The next entry, of a kind (KVM_IRQ_ROUTING_*).
  [[nodiscard]] kvm_irq_routing_entry& add(std::uint32_t gsi, std::uint32_t type) noexcept {
    kvm_irq_routing_entry& entry = get().entries[get().nr++];
    entry.gsi = gsi;
    entry.type = type;
    return entry;
  }
  void add_pin(std::uint32_t gsi, std::uint32_t irqchip, std::uint32_t pin) noexcept {
    add(gsi, KVM_IRQ_ROUTING_IRQCHIP).u.irqchip = {irqchip, pin};
  }
  void add_pic_irq(std::uint32_t gsi, std::uint32_t irq) noexcept {
    add_pin(gsi, irq < pic_inputs ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE, irq % pic_inputs);
  }
  void add_message(const Vm::MsiRoute& route) noexcept {
    kvm_irq_routing_entry& entry = add(route.gsi, KVM_IRQ_ROUTING_MSI);
    entry.u.msi.address_lo = static_cast<std::uint32_t>(route.address);
    entry.u.msi.address_hi = static_cast<std::uint32_t>(route.address >> 32);
    entry.u.msi.data = route.data;
  }
};

/// KVM's default routes, to the I/O APIC's pins and to the 8259s' inputs, with further ones to the latter,
/// and room for a message.
struct FullRoutingTable : RoutingTable<gsi_count + 2 * isa_irqs + 1> {
  explicit FullRoutingTable(const Vm::PicRoutes& further) noexcept {
    for (unsigned gsi = 0; gsi < gsi_count; ++gsi) add_pin(gsi, KVM_IRQCHIP_IOAPIC, gsi);
    for (unsigned irq = 0; irq < isa_irqs; ++irq) add_pic_irq(irq, irq);
    const std::size_t count = std::min<std::size_t>(further.irqs.size(), isa_irqs);
    for (std::size_t i = 0; i < count; ++i) {
      add_pic_irq(static_cast<std::uint32_t>(further.first_gsi + i), further.irqs[i]);
    }
  }
};

}  // namespace

std::string_view name_of(Irqchip irqchip) {
  switch (irqchip) {
    case Irqchip::full:
      return "full";
    case Irqchip::split:
      return "split";
    case Irqchip::none:
      return "none";
  }
  return "?";
}

Vm::Vm(const Kvm& kvm, const MemoryGuard& guard) : fd_(kvm.create_vm()) {
  if (::ioctl(fd(), KVM_SET_TSS_ADDR, memory_map::kvm_tss.value) != 0) {
    throw HostError::from_errno("KVM_SET_TSS_ADDR");
  }
  std::uint64_t identity_map = memory_map::kvm_identity_map.value;
  if (kvm.extension(KVM_CAP_SET_IDENTITY_MAP_ADDR) > 0 &&
      ::ioctl(fd(), KVM_SET_IDENTITY_MAP_ADDR, &identity_map) != 0) {
    throw HostError::from_errno("KVM_SET_IDENTITY_MAP_ADDR");
  }
  const std::vector<RamSlot> ram = guard.slots();
  const bool read_only = std::any_of(
      ram.begin(), ram.end(), [](const RamSlot& slot) { return (slot.flags & KVM_MEM_READONLY) != 0; });
  if (read_only && kvm.extension(KVM_CAP_READONLY_MEM) <= 0)
    throw HostError("this host's KVM lacks KVM_CAP_READONLY_MEM, which --protect and --watch need");
  if (guard.has(GuardedRange::Kind::watched_ring)) enable_dirty_rings(kvm);
  for (const RamSlot& slot : ram) map_memory(slot.start, slot.bytes, slot.flags);
}

UniqueFd Vm::stats() const noexcept {
  return UniqueFd(::ioctl(fd(), KVM_GET_STATS_FD, 0));
}

void Vm::enable_dirty_rings(const Kvm& kvm) const {
  constexpr std::uint32_t bytes = dirty_ring_entries * sizeof(kvm_dirty_gfn);
  if (kvm.extension(KVM_CAP_DIRTY_LOG_RING) < static_cast<int>(bytes)) {
    throw HostError(
        "this host's KVM lacks KVM_CAP_DIRTY_LOG_RING, which --watch by=ring needs; by=bitmap does without");
  }
  kvm_enable_cap ring{};
  ring.cap = KVM_CAP_DIRTY_LOG_RING;
  ring.args[0] = bytes;
  if (::ioctl(fd(), KVM_ENABLE_CAP, &ring) != 0) throw HostError::from_errno("KVM_CAP_DIRTY_LOG_RING");
}

bool Vm::dirty_log(std::uint32_t slot, std::span<std::uint64_t> pages) const noexcept {
  kvm_dirty_log log{};
  log.slot = slot;
  log.dirty_bitmap = pages.data();
  return ::ioctl(fd(), KVM_GET_DIRTY_LOG, &log) == 0;
}

void Vm::reset_dirty_rings() const noexcept {
  ::ioctl(fd(), KVM_RESET_DIRTY_RINGS, 0);
}

void Vm::map_memory(Gpa start, std::span<std::byte> bytes, std::uint32_t flags) const {
  kvm_userspace_memory_region region{};
  region.flags = flags;
  region.slot = slots_++;
  region.guest_phys_addr = start.value;
  region.memory_size = bytes.size();
  region.userspace_addr = reinterpret_cast<std::uint64_t>(bytes.data());
  if (::ioctl(fd(), KVM_SET_USER_MEMORY_REGION, &region) != 0) {
    const std::string refused = fmt::format(
        "this host's KVM refuses {} KiB of guest memory at {:#x} (KVM_SET_USER_MEMORY_REGION); less may do "
        "(--mem)",
        bytes.size() >> 10, start.value);
    throw HostError::from_errno(refused);
  }
}

void Vm::take_msrs(std::uint32_t first, std::uint32_t count) const {
  kvm_enable_cap to_userspace{};
  to_userspace.cap = KVM_CAP_X86_USER_SPACE_MSR;
  to_userspace.args[0] = KVM_MSR_EXIT_REASON_FILTER;
  if (::ioctl(fd(), KVM_ENABLE_CAP, &to_userspace) != 0)
    throw HostError::from_errno("KVM_CAP_X86_USER_SPACE_MSR");
  std::vector<std::uint8_t> none_allowed(count / 8);
  kvm_msr_filter filter{};
  filter.flags = KVM_MSR_FILTER_DEFAULT_ALLOW;
  filter.ranges[0] = {KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE, count, first, none_allowed.data()};
  if (::ioctl(fd(), KVM_X86_SET_MSR_FILTER, &filter) != 0)
    throw HostError::from_errno("KVM_X86_SET_MSR_FILTER");
}

void Vm::create_irqchip(const Kvm& kvm, Irqchip irqchip, unsigned cpus) const {
  if (cpus > widest_8_bit_ids) allow_wide_apic_ids(kvm);
  const auto need = [&kvm, irqchip](long capability, std::string_view name) {
    if (kvm.extension(capability) <= 0) {
      throw HostError(
          fmt::format("this host's KVM lacks {}, which --irqchip {} needs", name, name_of(irqchip)));
    }
  };
  switch (irqchip) {
    case Irqchip::full: {
      need(KVM_CAP_PIT2, "KVM_CAP_PIT2");
      if (::ioctl(fd(), KVM_CREATE_IRQCHIP, 0) != 0) throw HostError::from_errno("KVM_CREATE_IRQCHIP");
      kvm_pit_config pit{};
      pit.flags = KVM_PIT_SPEAKER_DUMMY;  // port 0x61 too: Linux calibrates its TSC by it
      if (::ioctl(fd(), KVM_CREATE_PIT2, &pit) != 0) throw HostError::from_errno("KVM_CREATE_PIT2");
      return;
    }
    case Irqchip::split: {
      need(KVM_CAP_SPLIT_IRQCHIP, "KVM_CAP_SPLIT_IRQCHIP");
      need(KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI");
      need(KVM_CAP_IRQ_ROUTING, "KVM_CAP_IRQ_ROUTING");
      kvm_enable_cap split{};
      split.cap = KVM_CAP_SPLIT_IRQCHIP;
      split.args[0] = gsi_count;  // routes whose end of interrupt KVM_EXIT_IOAPIC_EOI reports
      if (::ioctl(fd(), KVM_ENABLE_CAP, &split) != 0) throw HostError::from_errno("KVM_CAP_SPLIT_IRQCHIP");
      return;
    }
    case Irqchip::none:
      return;
  }
}

void Vm::limit_halt_polling(const Kvm& kvm, std::uint64_t nanoseconds) const {
  if (kvm.extension(KVM_CAP_HALT_POLL) <= 0) {
    throw HostError("this host's KVM lacks KVM_CAP_HALT_POLL (Linux 5.11): run without --halt-poll");
  }
  kvm_enable_cap limit{};
  limit.cap = KVM_CAP_HALT_POLL;
  limit.args[0] = nanoseconds;
  if (::ioctl(fd(), KVM_ENABLE_CAP, &limit) != 0) throw HostError::from_errno("KVM_CAP_HALT_POLL");
}

void Vm::disable_exits(const Kvm& kvm, std::span<const std::string> instructions) const {
  const auto offered = static_cast<std::uint64_t>(kvm.extension(KVM_CAP_X86_DISABLE_EXITS));
  kvm_enable_cap disable{};
  disable.cap = KVM_CAP_X86_DISABLE_EXITS;
  for (const std::string& name : instructions) {
    const auto known = std::find_if(disablable.begin(), disablable.end(),
                                    [&name](const auto& exit) { return exit.name == name; });
    if (known == disablable.end()) {
      throw UsageError(fmt::format("--disable-exits {}: it is hlt, pause, mwait or cstate", name));
    }
    if ((offered & known->bit) == 0) {
      throw HostError(fmt::format(
          "this host's KVM does not let {} be executed without an exit (KVM_CAP_X86_DISABLE_EXITS)", name));
    }
    disable.args[0] |= known->bit;
  }
  if (::ioctl(fd(), KVM_ENABLE_CAP, &disable) != 0) {
    throw HostError::from_errno("KVM_CAP_X86_DISABLE_EXITS");
  }
}

UniqueFd Vm::edge_irqfd(unsigned gsi) const {
  UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) throw HostError::from_errno("eventfd");
  kvm_irqfd irqfd{};
  irqfd.fd = static_cast<std::uint32_t>(event.get());
  irqfd.gsi = gsi;
  if (::ioctl(fd(), KVM_IRQFD, &irqfd) != 0)
    throw HostError::from_errno(fmt::format("KVM_IRQFD of GSI {}", gsi));
  return event;
}

void Vm::ring_on_write(int eventfd, Gpa at, std::uint32_t value) const {
  ring_on_access(eventfd, Space::memory, at.value, sizeof value, value);
}

void Vm::ring_on_access(int eventfd, Space space, std::uint64_t at, std::uint32_t width,
                        std::optional<std::uint64_t> value) const {
  kvm_ioeventfd doorbell{};
  doorbell.datamatch = value.value_or(0);
  doorbell.addr = at;
  doorbell.len = width;
  doorbell.fd = eventfd;
  doorbell.flags =
      (value ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0u) | (space == Space::ports ? KVM_IOEVENTFD_FLAG_PIO : 0u);
  if (::ioctl(fd(), KVM_IOEVENTFD, &doorbell) != 0)
    throw HostError::from_errno(fmt::format("KVM_IOEVENTFD at {:#x}", at));
}

void Vm::coalesce(Space space, std::uint64_t at, std::uint32_t bytes) const {
  kvm_coalesced_mmio_zone zone{};
  zone.addr = at;
  zone.size = bytes;
  zone.pio = space == Space::ports ? 1 : 0;
  if (::ioctl(fd(), KVM_REGISTER_COALESCED_MMIO, &zone) != 0)
    throw HostError::from_errno(fmt::format("KVM_REGISTER_COALESCED_MMIO at {:#x}", at));
}

void Vm::allow_wide_apic_ids(const Kvm& kvm) const {
  if (kvm.extension(KVM_CAP_X2APIC_API) <= 0) {
    throw HostError(fmt::format("this host's KVM lacks KVM_CAP_X2APIC_API, which more than {} vCPUs need",
                                widest_8_bit_ids));
  }
  kvm_enable_cap wide{};
  wide.cap = KVM_CAP_X2APIC_API;
  wide.args[0] = KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK;
  if (::ioctl(fd(), KVM_ENABLE_CAP, &wide) != 0) throw HostError::from_errno("KVM_CAP_X2APIC_API");
}

void Vm::set_irq_level(unsigned gsi, bool asserted) const noexcept {
  kvm_irq_level level{};
  level.irq = gsi;
  level.level = asserted ? 1 : 0;
  ::ioctl(fd(), KVM_IRQ_LINE, &level);
}

bool Vm::set_routes(const PicRoutes& pic, const MsiRoute& message) const noexcept {
  FullRoutingTable table(pic);
  table.add_message(message);
  return ::ioctl(fd(), KVM_SET_GSI_ROUTING, &table.get()) == 0;
}

void Vm::route_to_pic(const PicRoutes& routes) const {
  FullRoutingTable table(routes);
  if (::ioctl(fd(), KVM_SET_GSI_ROUTING, &table.get()) != 0)
    throw HostError::from_errno("KVM_SET_GSI_ROUTING");
  for (const unsigned chip : {unsigned{KVM_IRQCHIP_PIC_MASTER}, unsigned{KVM_IRQCHIP_PIC_SLAVE}}) {
    kvm_irqchip state{};
    state.chip_id = chip;
    if (::ioctl(fd(), KVM_GET_IRQCHIP, &state) != 0) throw HostError::from_errno("KVM_GET_IRQCHIP");
    for (const std::uint8_t irq : routes.irqs) {
      const bool on_it = (irq < pic_inputs) == (chip == KVM_IRQCHIP_PIC_MASTER);
      if (on_it) state.chip.pic.elcr |= static_cast<std::uint8_t>(1u << irq % pic_inputs);
    }
    if (::ioctl(fd(), KVM_SET_IRQCHIP, &state) != 0) throw HostError::from_errno("KVM_SET_IRQCHIP");
  }
}

bool Vm::signal_msi(std::uint64_t address, std::uint32_t data) const noexcept {
  kvm_msi msi{};
  msi.address_lo = static_cast<std::uint32_t>(address);
  msi.address_hi = static_cast<std::uint32_t>(address >> 32);
  msi.data = data;
  return ::ioctl(fd(), KVM_SIGNAL_MSI, &msi) > 0;
}

bool Vm::set_msi_routes(const MsiRoute* routes, std::size_t count) const noexcept {
  RoutingTable<msi_routes_max> table;
  count = std::min<std::size_t>(count, msi_routes_max);
  for (std::size_t i = 0; i < count; ++i) table.add_message(routes[i]);
  return ::ioctl(fd(), KVM_SET_GSI_ROUTING, &table.get()) == 0;
}

}  // namespace kvmbench
