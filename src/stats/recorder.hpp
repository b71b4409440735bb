/// The account of one vCPU's exits.
///
/// One thread writes (the vCPU's own), any thread may take a snapshot meanwhile: no lock, no stop. record()
/// costs nanoseconds and, for a key seen before, touches no new memory beyond the buckets of new values.
/// Every value only grows (min only falls). A snapshot of a running vCPU may be ahead of itself by the exits
/// that were recorded while it was copied: its exit count is at least the sum over its keys, and a key's
/// count at least that of its times. A stopped vCPU's snapshot is exact.
///
/// Memory is bounded. Once the table is full, further keys are counted under their reason and phase with
/// overflow_address, for which some entries are kept free, and where even these are used up, under
/// overflow_key: the sum over keys is always the number of exits.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "stats/exit_key.hpp"
#include "stats/snapshot.hpp"

namespace kvmbench::stats {

class Recorder final {
 public:
  static constexpr std::size_t most_keys = 65536;

  /// Room for `max_keys` keys (1 to most_keys), those of the overflow included, reserved as address space
  /// (about 10 KiB a key) and committed by the page as keys appear. Throws UsageError for a number out of
  /// range, HostError where the host has no such address space.
  explicit Recorder(std::uint32_t vcpu, std::size_t max_keys = 2048);
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  ~Recorder();

  /// Counts one exit: `run` cycles in KVM_RUN before it, `service` cycles spent on it, `transfers` data
  /// elements. Only ever one thread at a time.
  void record(const ExitKey& key, Cycles run, Cycles service, std::uint32_t transfers = 1) noexcept;

  /// Returns of KVM_RUN recorded so far. Any thread.
  [[nodiscard]] std::uint64_t exits() const noexcept { return exits_.load(std::memory_order_relaxed); }
  /// Any thread. Keys are in the order of their first appearance.
  [[nodiscard]] VcpuSnapshot snapshot() const;
  /// Adds the service times of the keys whose reason is from `first` to `last`. Any thread; no allocation,
  /// but a look at every key.
  void add_service(std::uint32_t first, std::uint32_t last, TimeStats& to) const noexcept;

 private:
  struct Entry;
  struct Times;

  static void add(Times& times, std::uint64_t* histogram, Cycles value) noexcept;
  static void add(Entry& entry, Cycles run, Cycles service, std::uint32_t transfers) noexcept;
  static TimeStats copy(Times& times, std::uint64_t* histogram) noexcept;

  void record_other(const ExitKey& key, Cycles run, Cycles service, std::uint32_t transfers) noexcept;
  [[nodiscard]] Entry& admit(const ExitKey& key, std::size_t slot) noexcept;
  Entry& create(const ExitKey& key, std::size_t slot) noexcept;
  /// The key's slot in the hash table, or the free one where it belongs.
  [[nodiscard]] std::size_t slot_of(const ExitKey& key) const noexcept;

  const std::uint32_t vcpu_;
  const std::size_t max_keys_;
  const std::size_t key_limit_;  ///< entries from here on are kept for overflow keys
  const unsigned slot_bits_;
  std::byte* mapping_ = nullptr;  ///< the entries, then the hash table
  std::size_t mapping_bytes_ = 0;
  Entry* entries_ = nullptr;
  std::uint32_t* slots_ = nullptr;  ///< 1 + index of an entry; 0 is free
  Entry* last_ = nullptr;           ///< guests repeat themselves: a loop of port writes hits one key
  std::atomic<std::uint64_t> exits_{0};
  std::atomic<std::size_t> size_{0};  ///< entries below it are complete and may be read by any thread
};

}  // namespace kvmbench::stats
