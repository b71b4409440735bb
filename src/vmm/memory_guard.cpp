#include "vmm/memory_guard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.hpp"
#include "vmm/linux_kvm.hpp"

namespace kvmbench {
namespace {

using Kind = GuardedRange::Kind;

/// Stands for guarded memory in the names of keys; nothing is attached to a bus.
class NamedMemory final : public Device {
 public:
  NamedMemory(std::string_view name, std::string_view part) : name_(name), part_(part) {}
  std::uint64_t read(std::uint64_t, unsigned width) noexcept override { return all_ones(width); }
  void write(std::uint64_t, unsigned, std::uint64_t) noexcept override {}
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::string register_name(std::uint64_t, Direction) const override {
    return std::string(part_);
  }

 private:
  std::string_view name_, part_;
};

std::uint32_t flags_of(Kind kind) {
  const bool logged = kind == Kind::watched_bitmap || kind == Kind::watched_ring;
  return logged ? KVM_MEM_LOG_DIRTY_PAGES : KVM_MEM_READONLY;
}

std::vector<GuardedRange> checked(const GuestMemory& memory, std::vector<GuardedRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const GuardedRange& a, const GuardedRange& b) { return a.first < b.first; });
  if (ranges.size() > most_guarded_ranges)
    throw UsageError(
        fmt::format("--protect and --watch: a machine has at most {} ranges of either", most_guarded_ranges));
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const GuardedRange& range = ranges[i];
    const std::string name = fmt::format("{:#x}-{:#x}", range.first.value, range.last().value);
    if (memory.range(range.first, range.length).empty())
      throw UsageError(fmt::format("--protect or --watch {}: this machine has no memory there", name));
    if (i > 0 && ranges[i - 1].last() >= range.first)
      throw UsageError(fmt::format("--protect or --watch {}: another range has some of these pages", name));
  }
  return ranges;
}

/// A value of `width` bytes is stored at once where the guest's own store would have been.
template <class T>
void store(std::byte* at, const std::byte* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  __atomic_store_n(reinterpret_cast<T*>(at), value, __ATOMIC_RELEASE);
}

void store(std::span<std::byte> to, const std::byte* from) noexcept {
  const bool aligned = reinterpret_cast<std::uintptr_t>(to.data()) % std::max<std::size_t>(to.size(), 1) == 0;
  if (aligned && to.size() == 8) return store<std::uint64_t>(to.data(), from);
  if (aligned && to.size() == 4) return store<std::uint32_t>(to.data(), from);
  if (aligned && to.size() == 2) return store<std::uint16_t>(to.data(), from);
  std::memcpy(to.data(), from, to.size());
}

}  // namespace

std::string rule_of(const GuardedRange& range) {
  static constexpr std::array<std::string_view, 3> actions = {"report", "inject", "stop"};
  const std::string_view action = actions[static_cast<std::size_t>(range.action)];
  switch (range.kind) {
    case Kind::off_limits:
      return fmt::format("none,action={}", action);
    case Kind::read_only:
      return fmt::format("ro,action={}", action);
    case Kind::watched_exit:
      return "watch,by=exit";
    case Kind::watched_bitmap:
      return "watch,by=bitmap";
    case Kind::watched_ring:
      return "watch,by=ring";
  }
  return "?";
}

MemoryGuard::MemoryGuard(const GuestMemory& memory, std::vector<GuardedRange> ranges)
    : memory_(memory),
      ranges_(checked(memory, std::move(ranges))),
      counts_(std::make_unique<Counts[]>(ranges_.size())),
      log_(ranges_.empty() ? 0 : most_listed) {}

bool MemoryGuard::has(Kind kind) const noexcept {
  return std::any_of(ranges_.begin(), ranges_.end(),
                     [kind](const GuardedRange& range) { return range.kind == kind; });
}

bool MemoryGuard::injects() const noexcept {
  return std::any_of(ranges_.begin(), ranges_.end(), [](const GuardedRange& range) {
    return range.is_protected() && range.action == GuardedRange::Action::inject;
  });
}

std::vector<RamSlot> MemoryGuard::slots() const {
  std::vector<RamSlot> slots;
  for (const GuestMemory::Region& region : memory_.regions()) {
    std::uint64_t done = 0;
    const auto add = [&](std::uint64_t bytes, std::uint32_t flags, std::optional<std::size_t> range) {
      if (bytes == 0) return;
      slots.push_back({region.start + done, region.bytes.subspan(done, bytes), flags, range});
    };
    for (const GuardedRange& range : ranges_) {
      const std::uint64_t at = range.first.value - region.start.value;
      if (range.first < region.start || at >= region.bytes.size()) continue;
      add(at - done, 0, {});
      done = at;
      if (range.kind != Kind::off_limits) add(range.length, flags_of(range.kind), index_of(range));
      done += range.length;
    }
    add(region.bytes.size() - done, 0, {});
  }
  return slots;
}

const GuardedRange* MemoryGuard::find(std::uint64_t address) const noexcept {
  for (const GuardedRange& range : ranges_) {
    if (range.contains(address)) return &range;
  }
  return nullptr;
}

GuardedRange::Action MemoryGuard::serve(const Caught& access) noexcept {
  const GuardedRange* const range = find(access.address);
  if (range == nullptr) return GuardedRange::Action::report;
  Counts& counts = counts_[index_of(*range)];
  const std::size_t width = std::min<std::size_t>(access.width, sizeof(std::uint64_t));
  stats::MemoryAccess listed{.when = access.when,
                             .address = access.address,
                             .direction = access.direction,
                             .width = static_cast<std::uint8_t>(access.width),
                             .vcpu = access.vcpu,
                             .value = {},
                             .rip = access.rip};
  if (access.direction == Direction::write) {
    std::uint64_t value = 0;
    std::memcpy(&value, access.data, width);
    listed.value = value;
    counts.writes.fetch_add(1, std::memory_order_relaxed);
    if (!range->is_protected()) {
      if (const auto to = memory_.range(Gpa{access.address}, width); !to.empty()) store(to, access.data);
    }
  } else {
    counts.reads.fetch_add(1, std::memory_order_relaxed);
    std::memset(access.data, 0xff, width);
  }
  log_.add(listed);
  return range->is_protected() ? range->action : GuardedRange::Action::report;
}

void MemoryGuard::told(std::uint64_t address) noexcept {
  const GuardedRange* const range = find(address);
  if (range != nullptr) counts_[index_of(*range)].told.fetch_add(1, std::memory_order_relaxed);
}

void MemoryGuard::modified(std::size_t range, std::uint64_t page, std::optional<std::uint32_t> vcpu,
                           stats::Cycles when) noexcept {
  counts_[range].writes.fetch_add(1, std::memory_order_relaxed);
  log_.add({.when = when,
            .address = page,
            .direction = Direction::write,
            .width = 0,
            .vcpu = vcpu,
            .value = {},
            .rip = {}});
}

stats::GuardedAccount MemoryGuard::account() const {
  stats::GuardedAccount account;
  for (const GuardedRange& range : ranges_) {
    const Counts& counts = counts_[index_of(range)];
    account.ranges.push_back({.first = range.first.value,
                              .last = range.last().value,
                              .rule = rule_of(range),
                              .reads = counts.reads.load(std::memory_order_relaxed),
                              .writes = counts.writes.load(std::memory_order_relaxed),
                              .told = counts.told.load(std::memory_order_relaxed)});
  }
  account.accesses = log_.accesses();
  account.further = log_.further();
  return account;
}

const Device* MemoryGuard::device_at(std::uint64_t address) const noexcept {
  static const NamedMemory off_limits("protected", "none"), read_only("protected", "ro"),
      watched("watched", "page");
  const GuardedRange* const range = find(address);
  if (range == nullptr) return nullptr;
  if (!range->is_protected()) return &watched;
  return range->kind == Kind::off_limits ? &off_limits : &read_only;
}

}  // namespace kvmbench
