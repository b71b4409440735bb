#include "stats/recorder.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "base/error.hpp"
#include "stats/histogram.hpp"

namespace kvmbench::stats {

struct Recorder::Times {
  std::uint64_t sum;
  std::uint64_t min;
  std::uint64_t max;
};

/// Lives in fresh anonymous memory, whose zeroes are its initial state: a page that no value falls into is
/// never committed. All but the key is shared with snapshot() and therefore reached through the functions
/// below.
struct alignas(64) Recorder::Entry {
  ExitKey key;
  std::uint64_t count;
  std::uint64_t transfers;
  Times service;
  Times run;
  std::uint64_t service_buckets[buckets::count];
  std::uint64_t run_buckets[buckets::count];
};

namespace {

std::uint64_t read(std::uint64_t& shared, std::memory_order order) noexcept {
  return std::atomic_ref(shared).load(order);
}

// There is one writer, so that a load and a store do what a locked read-modify-write would, at a tenth of its
// cost.
void increase(std::uint64_t& shared, std::uint64_t by, std::memory_order order) noexcept {
  std::atomic_ref(shared).store(read(shared, std::memory_order_relaxed) + by, order);
}

std::size_t checked(std::size_t max_keys) {
  if (max_keys < 1 || max_keys > Recorder::most_keys) {
    throw UsageError(
        fmt::format("a table of {} exit keys: it may have 1 to {}", max_keys, Recorder::most_keys));
  }
  return max_keys;
}

/// One entry for overflow_key, and one in eight for the overflow of single reasons.
std::size_t reserved(std::size_t max_keys) noexcept {
  return 1 + std::min<std::size_t>(max_keys / 8, 256);
}

}  // namespace

Recorder::Recorder(std::uint32_t vcpu, std::size_t max_keys)
    : vcpu_(vcpu),
      max_keys_(checked(max_keys)),
      key_limit_(max_keys - reserved(max_keys)),
      slot_bits_(
          static_cast<unsigned>(std::bit_width(2 * max_keys - 1))) {  // at most half of the slots are used
  const std::size_t entry_bytes = max_keys * sizeof(Entry);
  mapping_bytes_ = entry_bytes + (std::size_t{1} << slot_bits_) * sizeof(std::uint32_t);
  void* at = ::mmap(nullptr, mapping_bytes_, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) {
    throw HostError::from_errno(
        fmt::format("cannot reserve {} KiB of address space for exit statistics", mapping_bytes_ / 1024));
  }
  // A transparent huge page would commit the entries of 200 keys for the first one.
  ::madvise(at, mapping_bytes_, MADV_NOHUGEPAGE);
  mapping_ = static_cast<std::byte*>(at);
  entries_ = reinterpret_cast<Entry*>(mapping_);
  slots_ = reinterpret_cast<std::uint32_t*>(mapping_ + entry_bytes);
}

Recorder::~Recorder() {
  ::munmap(mapping_, mapping_bytes_);
}

namespace {

using KeyWords = std::array<std::uint64_t, 2>;

bool same(const ExitKey& a, const ExitKey& b) noexcept {
  const auto x = std::bit_cast<KeyWords>(a);
  const auto y = std::bit_cast<KeyWords>(b);
  return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

}  // namespace

inline void Recorder::add(Times& times, std::uint64_t* histogram, Cycles value) noexcept {
  increase(times.sum, value, std::memory_order_relaxed);
  if (value < read(times.min, std::memory_order_relaxed)) {
    std::atomic_ref(times.min).store(value, std::memory_order_relaxed);
  }
  if (value > read(times.max, std::memory_order_relaxed)) {
    std::atomic_ref(times.max).store(value, std::memory_order_relaxed);
  }
  increase(histogram[buckets::index_of(value)], 1, std::memory_order_release);
}

inline void Recorder::add(Entry& entry, Cycles run, Cycles service, std::uint32_t transfers) noexcept {
  increase(entry.count, 1, std::memory_order_release);
  increase(entry.transfers, transfers, std::memory_order_relaxed);
  add(entry.service, entry.service_buckets, service);
  add(entry.run, entry.run_buckets, run);
}

void Recorder::record(const ExitKey& key, Cycles run, Cycles service, std::uint32_t transfers) noexcept {
  // Each store with release is read with acquire before what is stored ahead of it: so a snapshot's exits are
  // not fewer than its keys' counts, and those, like sum, min and max, not behind the histograms.
  exits_.store(exits_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (last_ != nullptr && same(last_->key, key)) [[likely]] {
    add(*last_, run, service, transfers);
  } else {
    record_other(key, run, service, transfers);
  }
}

/// Apart from record(), which then has no registers to save.
[[gnu::noinline]] void Recorder::record_other(const ExitKey& key, Cycles run, Cycles service,
                                              std::uint32_t transfers) noexcept {
  const std::size_t slot = slot_of(key);
  last_ = slots_[slot] != 0 ? &entries_[slots_[slot] - 1] : &admit(key, slot);
  add(*last_, run, service, transfers);
}

std::size_t Recorder::slot_of(const ExitKey& key) const noexcept {
  const auto [address, rest] = std::bit_cast<KeyWords>(key);
  const std::uint64_t folded = rest * 0x9e37'79b9'7f4a'7c15;  // 2^64 / golden ratio
  const std::uint64_t hash = (address ^ folded ^ (folded >> 32)) * 0x9e37'79b9'7f4a'7c15;
  const std::size_t mask = (std::size_t{1} << slot_bits_) - 1;
  for (std::size_t slot = hash >> (64 - slot_bits_);; slot = (slot + 1) & mask) {
    if (slots_[slot] == 0 || same(entries_[slots_[slot] - 1].key, key)) return slot;
  }
}

/// The entry under which to count a key that has none yet.
Recorder::Entry& Recorder::admit(const ExitKey& key, std::size_t slot) noexcept {
  const std::size_t size = size_.load(std::memory_order_relaxed);
  if (size < key_limit_) return create(key, slot);

  const ExitKey of_reason{overflow_address, key.reason, key.phase, 0, Direction::none};
  slot = slot_of(of_reason);
  if (slots_[slot] != 0) return entries_[slots_[slot] - 1];
  if (size + 1 < max_keys_) return create(of_reason, slot);

  slot = slot_of(overflow_key);
  return slots_[slot] != 0 ? entries_[slots_[slot] - 1] : create(overflow_key, slot);
}

Recorder::Entry& Recorder::create(const ExitKey& key, std::size_t slot) noexcept {
  const std::size_t index = size_.load(std::memory_order_relaxed);
  Entry& entry = entries_[index];
  entry.key = key;
  entry.service.min = std::numeric_limits<Cycles>::max();
  entry.run.min = std::numeric_limits<Cycles>::max();
  slots_[slot] = static_cast<std::uint32_t>(index + 1);
  size_.store(index + 1, std::memory_order_release);
  return entry;
}

VcpuSnapshot Recorder::snapshot() const {
  VcpuSnapshot copied;
  copied.vcpu = vcpu_;
  const std::size_t size = size_.load(std::memory_order_acquire);
  copied.keys.reserve(size);
  for (std::size_t i = 0; i < size; ++i) {
    Entry& entry = entries_[i];
    KeyStats& stats = copied.keys.emplace_back();
    stats.key = entry.key;
    stats.service = copy(entry.service, entry.service_buckets);
    stats.run = copy(entry.run, entry.run_buckets);
    stats.transfers = read(entry.transfers, std::memory_order_relaxed);
    stats.count = read(entry.count, std::memory_order_acquire);
    // An entry is made known just before its first exit is counted.
    if (stats.count == 0) copied.keys.pop_back();
  }
  copied.exits = exits();
  return copied;
}

void Recorder::add_service(std::uint32_t first, std::uint32_t last, TimeStats& to) const noexcept {
  const std::size_t size = size_.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < size; ++i) {
    Entry& entry = entries_[i];
    if (entry.key.reason < first || entry.key.reason > last) continue;
    to += copy(entry.service, entry.service_buckets);
  }
}

TimeStats Recorder::copy(Times& times, std::uint64_t* histogram) noexcept {
  TimeStats copied;
  for (std::size_t i = 0; i < buckets::count; ++i) {
    const std::uint64_t in_bucket = read(histogram[i], std::memory_order_acquire);
    if (in_bucket != 0) copied.histogram.add_to_bucket(i, in_bucket);
  }
  if (copied.count() == 0) return copied;
  copied.sum = read(times.sum, std::memory_order_relaxed);
  copied.min = read(times.min, std::memory_order_relaxed);
  copied.max = read(times.max, std::memory_order_relaxed);
  return copied;
}

}  // namespace kvmbench::stats
