#include "devices/virtio/packed_ring.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "devices/virtio/chain_builder.hpp"

namespace kvmbench::virtio {
namespace {

constexpr std::size_t descriptor_flags_at = offsetof(vring_packed_desc, flags);
constexpr std::size_t event_offset_at = offsetof(vring_packed_desc_event, off_wrap);
constexpr std::size_t event_flags_at = offsetof(vring_packed_desc_event, flags);

constexpr std::uint16_t avail_bit = 1u << VRING_PACKED_DESC_F_AVAIL;
constexpr std::uint16_t used_bit = 1u << VRING_PACKED_DESC_F_USED;
constexpr std::uint16_t event_wrap_bit = 1u << VRING_PACKED_EVENT_F_WRAP_CTR;
constexpr std::uint16_t event_flags_mask = 3;

/// All entries of an indirect table, in order; of their flags only WRITE counts (2.8.7).
Fault walk_indirect(std::span<const std::byte> table, ChainBuilder& builder) {
  for (std::size_t at = 0; at < table.size(); at += descriptor_size) {
    const auto descriptor = copy_of<vring_packed_desc>(table.data() + at);
    if (const Fault fault =
            builder.add(descriptor.addr, descriptor.len, (descriptor.flags & VRING_DESC_F_WRITE) != 0)) {
      return fault;
    }
  }
  return nullptr;
}

}  // namespace

Fault PackedRing::open(const RingSettings& settings) noexcept {
  if (settings.size == 0 || settings.size > max_size) return "a packed queue of an impossible size";
  PackedRing opened(*memory_);
  Fault fault = nullptr;
  opened.settings_ = settings;
  // Alignment: 2.8.
  opened.descriptors_ = ring_part(*memory_, settings.descriptor_area,
                                  std::uint64_t{descriptor_size} * settings.size, 16, fault);
  opened.driver_event_ = ring_part(*memory_, settings.driver_area, sizeof(vring_packed_desc_event), 4, fault);
  opened.device_event_ = ring_part(*memory_, settings.device_area, sizeof(vring_packed_desc_event), 4, fault);
  if (fault == nullptr) *this = opened;
  return fault;
}

PackedRing::Position PackedRing::moved(Position from, std::uint16_t by) const noexcept {
  const std::uint32_t offset = std::uint32_t{from.offset} + by;
  if (offset < settings_.size) return {static_cast<std::uint16_t>(offset), from.wrap};
  return {static_cast<std::uint16_t>(offset - settings_.size), !from.wrap};
}

std::byte* PackedRing::descriptor(std::uint16_t offset) const noexcept {
  return descriptors_.data() + std::size_t{descriptor_size} * offset;
}

bool PackedRing::is_available(Position at) const noexcept {
  const std::uint16_t flags =
      load_field(descriptor(at.offset) + descriptor_flags_at, std::memory_order_seq_cst);
  const bool available = (flags & avail_bit) != 0;
  const bool used = (flags & used_bit) != 0;
  return available == at.wrap && used != at.wrap;
}

bool PackedRing::empty() const noexcept {
  return !is_available(next_available_);
}

std::uint16_t PackedRing::available(std::uint16_t most) const noexcept {
  std::uint16_t count = 0;
  const auto end = std::min(most, settings_.size);
  for (Position at = next_available_; count < end && is_available(at); at = moved(at, 1)) ++count;
  return count;
}

Fault PackedRing::pop(Chain& chain) {
  if (const Fault fault = walk(chain)) return fault;
  next_available_ = moved(next_available_, chain.descriptors);
  in_flight_ = static_cast<std::uint16_t>(in_flight_ + chain.descriptors);
  return nullptr;
}

Fault PackedRing::walk(Chain& chain) const {
  ChainBuilder builder(*memory_, chain);
  // A descriptor whose request is under way cannot be made available again.
  const auto free = static_cast<std::uint16_t>(settings_.size - in_flight_);
  Position at = next_available_;
  for (std::uint16_t count = 1; count <= free; ++count) {
    const auto entry = copy_of<vring_packed_desc>(descriptor(at.offset));
    chain.id = entry.id;  // that of the last one counts (2.8.6)
    chain.descriptors = count;
    if ((entry.flags & VRING_DESC_F_INDIRECT) != 0) {
      if (!settings_.indirect) return "an indirect descriptor that was not negotiated";
      if ((entry.flags & VRING_DESC_F_NEXT) != 0) return "a descriptor behind an indirect one";
      Fault fault = nullptr;
      const auto table = builder.indirect_table(entry.addr, entry.len, fault);
      return fault != nullptr ? fault : walk_indirect(table, builder);
    }
    if (const Fault fault = builder.add(entry.addr, entry.len, (entry.flags & VRING_DESC_F_WRITE) != 0)) {
      return fault;
    }
    if ((entry.flags & VRING_DESC_F_NEXT) == 0) return nullptr;
    at = moved(at, 1);
  }
  return "a chain longer than the queue, or than what of it is free";
}

void PackedRing::unpop(const Chain& chain) noexcept {
  const auto back = static_cast<std::uint16_t>(settings_.size - chain.descriptors);
  next_available_ = moved(next_available_, back);
  next_available_.wrap = !next_available_.wrap;  // a whole turn forward, less the chain
  in_flight_ = static_cast<std::uint16_t>(in_flight_ - chain.descriptors);
}

void PackedRing::push(const Chain& chain, std::uint32_t written) noexcept {
  const UsedChain used{&chain, written};
  push_together({&used, 1});
}

void PackedRing::push_together(std::span<const UsedChain> chains) noexcept {
  // The driver takes entries in order: what is behind the first is not seen before it.
  std::byte* const first = descriptor(next_used_.offset);
  const std::uint16_t first_flags = put_used(*chains.front().chain, chains.front().written);
  for (const UsedChain& used : chains.subspan(1)) {
    std::byte* const at = descriptor(next_used_.offset);
    const std::uint16_t flags = put_used(*used.chain, used.written);
    store_field(at + descriptor_flags_at, flags, std::memory_order_release);
  }
  // Last, and before the driver's event structure is read (wants_interrupt): 2.8.21.3.
  store_field(first + descriptor_flags_at, first_flags, std::memory_order_seq_cst);
}

std::uint16_t PackedRing::put_used(const Chain& chain, std::uint32_t written) noexcept {
  std::byte* at = descriptor(next_used_.offset);
  vring_packed_desc entry{};
  entry.len = written;
  entry.id = chain.id;
  std::memcpy(at + offsetof(vring_packed_desc, len), &entry.len, sizeof entry.len);
  std::memcpy(at + offsetof(vring_packed_desc, id), &entry.id, sizeof entry.id);
  const unsigned turn = next_used_.wrap ? avail_bit | used_bit : 0u;
  const unsigned write = written != 0 ? VRING_DESC_F_WRITE : 0u;
  next_used_ = moved(next_used_, chain.descriptors);
  in_flight_ = static_cast<std::uint16_t>(in_flight_ - chain.descriptors);
  if (pushes_ < std::numeric_limits<std::uint16_t>::max()) ++pushes_;
  used_entries_ = std::min<std::uint32_t>(used_entries_ + chain.descriptors, settings_.size);
  return static_cast<std::uint16_t>(turn | write);
}

bool PackedRing::wants_interrupt() noexcept {
  const auto entries = static_cast<std::uint16_t>(used_entries_);
  used_entries_ = 0;
  pushes_ = 0;
  if (entries == 0) return false;
  const unsigned flags =
      load_field(driver_event_.data() + event_flags_at, std::memory_order_seq_cst) & event_flags_mask;
  if (flags == VRING_PACKED_EVENT_FLAG_DISABLE) return false;
  if (flags != VRING_PACKED_EVENT_FLAG_DESC || !settings_.event_idx) return true;
  if (entries == settings_.size) return true;  // every place was passed
  const std::uint16_t event = load_field(driver_event_.data() + event_offset_at, std::memory_order_seq_cst);
  const bool same_turn = ((event & event_wrap_bit) != 0) == next_used_.wrap;
  const unsigned offset = event & ~unsigned{event_wrap_bit};
  const auto place = static_cast<std::uint16_t>(same_turn ? offset : offset - settings_.size);
  return vring_need_event(place, next_used_.offset,
                          static_cast<std::uint16_t>(next_used_.offset - entries)) != 0;
}

void PackedRing::silence() noexcept {
  store_field(device_event_.data() + event_flags_at, VRING_PACKED_EVENT_FLAG_DISABLE,
              std::memory_order_relaxed);
}

void PackedRing::listen(std::uint16_t ahead) noexcept {
  if (!settings_.event_idx) {
    if (ahead > 0) return silence();
    store_field(device_event_.data() + event_flags_at, VRING_PACKED_EVENT_FLAG_ENABLE,
                std::memory_order_seq_cst);
    return;
  }
  const Position at = moved(next_available_, std::min(ahead, static_cast<std::uint16_t>(settings_.size - 1)));
  const unsigned event = at.offset | (at.wrap ? event_wrap_bit : 0u);
  store_field(device_event_.data() + event_offset_at, static_cast<std::uint16_t>(event),
              std::memory_order_release);
  store_field(device_event_.data() + event_flags_at, VRING_PACKED_EVENT_FLAG_DESC, std::memory_order_seq_cst);
}

}  // namespace kvmbench::virtio
