#include "devices/virtio/split_ring.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>

#include "devices/virtio/chain_builder.hpp"

namespace kvmbench::virtio {
namespace {

// Fields of the available ring (2.7.6) and the used ring (2.7.8).
constexpr std::size_t flags_at = 0;
constexpr std::size_t idx_at = 2;
constexpr std::size_t ring_at = 4;
constexpr std::size_t available_entry = 2;
constexpr std::size_t used_entry = sizeof(vring_used_elem);
constexpr std::size_t event_size = 2;

/// The chain in an indirect table (2.7.5.3), from its first descriptor on.
Fault walk_indirect(std::span<const std::byte> table, ChainBuilder& builder) {
  const std::size_t entries = table.size() / descriptor_size;
  std::size_t index = 0;
  for (std::size_t count = 0; count < entries; ++count) {
    const auto descriptor = copy_of<vring_desc>(table.data() + index * descriptor_size);
    if ((descriptor.flags & VRING_DESC_F_INDIRECT) != 0) return "an indirect table in an indirect table";
    if (const Fault fault =
            builder.add(descriptor.addr, descriptor.len, (descriptor.flags & VRING_DESC_F_WRITE) != 0)) {
      return fault;
    }
    if ((descriptor.flags & VRING_DESC_F_NEXT) == 0) return nullptr;
    index = descriptor.next;
    if (index >= entries) return "a next field outside its indirect table";
  }
  return "a chain that loops in its indirect table";
}

}  // namespace

Fault SplitRing::open(const RingSettings& settings) noexcept {
  if (!std::has_single_bit(settings.size)) return "a split queue whose size is no power of two";
  const std::size_t event = settings.event_idx ? event_size : 0;
  SplitRing opened(*memory_);
  Fault fault = nullptr;
  opened.settings_ = settings;
  // Alignment: 2.7.
  opened.descriptors_ = ring_part(*memory_, settings.descriptor_area,
                                  std::uint64_t{descriptor_size} * settings.size, 16, fault);
  opened.available_ =
      ring_part(*memory_, settings.driver_area, ring_at + available_entry * settings.size + event, 2, fault);
  opened.used_ =
      ring_part(*memory_, settings.device_area, ring_at + used_entry * settings.size + event, 4, fault);
  if (fault == nullptr) *this = opened;
  return fault;
}

bool SplitRing::empty() const noexcept {
  return load_field(available_.data() + idx_at, std::memory_order_seq_cst) == next_available_;
}

std::uint16_t SplitRing::available(std::uint16_t most) const noexcept {
  const std::uint16_t index = load_field(available_.data() + idx_at, std::memory_order_seq_cst);
  return std::min(most, static_cast<std::uint16_t>(index - next_available_));
}

Fault SplitRing::pop(Chain& chain) {
  const std::uint16_t index = load_field(available_.data() + idx_at, std::memory_order_acquire);
  if (static_cast<std::uint16_t>(index - next_available_) > settings_.size) {
    return "an available index that moved by more than the queue's size";
  }
  if (in_flight_ == settings_.size) return "more chains available than the queue has entries";
  const std::size_t slot = next_available_ & (settings_.size - 1u);
  const auto head = copy_of<std::uint16_t>(available_.data() + ring_at + available_entry * slot);
  if (const Fault fault = walk(head, chain)) return fault;
  chain.id = head;
  chain.descriptors = 1;
  ++next_available_;
  ++in_flight_;
  return nullptr;
}

Fault SplitRing::walk(std::uint16_t head, Chain& chain) const {
  ChainBuilder builder(*memory_, chain);
  std::uint16_t index = head;
  for (std::uint16_t count = 0; count < settings_.size; ++count) {
    if (index >= settings_.size) return "a descriptor index past the queue's size";
    const auto descriptor = copy_of<vring_desc>(descriptors_.data() + std::size_t{descriptor_size} * index);
    if ((descriptor.flags & VRING_DESC_F_INDIRECT) != 0) {
      if (!settings_.indirect) return "an indirect descriptor that was not negotiated";
      if ((descriptor.flags & VRING_DESC_F_NEXT) != 0) return "a descriptor behind an indirect one";
      Fault fault = nullptr;
      const auto table = builder.indirect_table(descriptor.addr, descriptor.len, fault);
      return fault != nullptr ? fault : walk_indirect(table, builder);
    }
    if (const Fault fault =
            builder.add(descriptor.addr, descriptor.len, (descriptor.flags & VRING_DESC_F_WRITE) != 0)) {
      return fault;
    }
    if ((descriptor.flags & VRING_DESC_F_NEXT) == 0) return nullptr;
    index = descriptor.next;
  }
  return "a chain longer than the queue";
}

void SplitRing::unpop(const Chain&) noexcept {
  --next_available_;
  --in_flight_;
}

void SplitRing::push(const Chain& chain, std::uint32_t written) noexcept {
  put_used(chain, written);
  publish_used();
}

void SplitRing::push_together(std::span<const UsedChain> chains) noexcept {
  for (const UsedChain& used : chains) put_used(*used.chain, used.written);
  publish_used();
}

void SplitRing::put_used(const Chain& chain, std::uint32_t written) noexcept {
  const vring_used_elem element{.id = chain.id, .len = written};
  const std::size_t slot = next_used_ & (settings_.size - 1u);
  std::memcpy(used_.data() + ring_at + used_entry * slot, &element, sizeof element);
  ++next_used_;
  --in_flight_;
}

void SplitRing::publish_used() noexcept {
  // Before used_event is read (wants_interrupt): 2.7.7.2.
  store_field(used_.data() + idx_at, next_used_, std::memory_order_seq_cst);
}

bool SplitRing::wants_interrupt() noexcept {
  const std::uint16_t before = signalled_;
  signalled_ = next_used_;
  if (before == next_used_) return false;
  if (!settings_.event_idx) {
    return (load_field(available_.data() + flags_at, std::memory_order_seq_cst) &
            VRING_AVAIL_F_NO_INTERRUPT) == 0;
  }
  const std::byte* used_event = available_.data() + ring_at + available_entry * settings_.size;
  return vring_need_event(load_field(used_event, std::memory_order_seq_cst), next_used_, before) != 0;
}

void SplitRing::silence() noexcept {
  // With EVENT_IDX there is nothing to do: an avail_event that is left behind is not passed again.
  if (!settings_.event_idx) {
    store_field(used_.data() + flags_at, VRING_USED_F_NO_NOTIFY, std::memory_order_relaxed);
  }
}

void SplitRing::listen(std::uint16_t ahead) noexcept {
  if (!settings_.event_idx) {
    if (ahead > 0) return silence();
    store_field(used_.data() + flags_at, 0, std::memory_order_seq_cst);
    return;
  }
  std::byte* avail_event = used_.data() + ring_at + used_entry * settings_.size;
  store_field(avail_event, static_cast<std::uint16_t>(next_available_ + ahead), std::memory_order_seq_cst);
}

}  // namespace kvmbench::virtio
