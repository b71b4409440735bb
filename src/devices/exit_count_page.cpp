#include "devices/exit_count_page.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <stdexcept>

namespace kvmbench {
namespace {

static_assert(sizeof(kvmbench_page) == KVMBENCH_PAGE_BYTES);

kvmbench_page& page_in(std::span<std::byte> memory) {
  const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
  if (memory.size() < sizeof(kvmbench_page) || address % alignof(kvmbench_page) != 0) {
    throw std::logic_error("exit-count page: too small, or not aligned");
  }
  return *reinterpret_cast<kvmbench_page*>(memory.data());
}

// Other vCPUs may read meanwhile: each field is stored whole, and the sequence tells whether they belong
// together.
template <class T>
void store(T& field, T value) noexcept {
  std::atomic_ref(field).store(value, std::memory_order_relaxed);
}

}  // namespace

ExitCountPage::ExitCountPage(std::span<std::byte> memory, std::uint32_t vcpu) : page_(page_in(memory)) {
  std::memset(&page_, 0, sizeof page_);
  page_.magic = KVMBENCH_PAGE_MAGIC;
  page_.abi = KVMBENCH_ABI_VERSION;
  page_.vcpu = vcpu;
}

void ExitCountPage::keep(bool wanted) noexcept {
  kept_ = wanted;
  begin();
  store(page_.flags, wanted ? KVMBENCH_PAGE_KEPT : 0u);
  end();
}

void ExitCountPage::refresh(const stats::ExitCounts& counts) noexcept {
  std::array<stats::ReasonTally, KVMBENCH_PAGE_ENTRIES> reasons;
  const std::size_t found = counts.list(reasons);
  const std::size_t entries = std::min(found, reasons.size());
  const stats::Tally all = counts.all();

  begin();
  store(page_.entries, static_cast<std::uint32_t>(entries));
  store(page_.missing, static_cast<std::uint32_t>(found - entries));
  store(page_.exits, all.count);
  store(page_.cycles, all.cycles);
  for (std::size_t i = 0; i < entries; ++i) {
    kvmbench_page_entry& entry = page_.table[i];
    store(entry.reason, reasons[i].reason);
    store(entry.count, reasons[i].tally.count);
    store(entry.cycles, reasons[i].tally.cycles);
  }
  end();
}

void ExitCountPage::begin() noexcept {
  store(page_.sequence, ++sequence_);
  std::atomic_thread_fence(std::memory_order_release);
}

void ExitCountPage::end() noexcept {
  std::atomic_ref(page_.sequence).store(++sequence_, std::memory_order_release);
}

}  // namespace kvmbench
