#include "vmm/dirty_bitmap.hpp"

#include <bit>

#include "base/tsc.hpp"

namespace kvmbench {

DirtyBitmap::DirtyBitmap(boost::asio::io_context& io, const Vm& vm, MemoryGuard& guard)
    : vm_(vm), guard_(guard), timer_(io) {
  constexpr std::uint64_t bits_of_a_word = 64;
  std::uint32_t number = 0;
  for (const RamSlot& slot : guard.slots()) {
    const std::uint32_t this_one = number++;
    if (!slot.range || guard.ranges()[*slot.range].kind != GuardedRange::Kind::watched_bitmap) continue;
    const std::uint64_t pages = slot.bytes.size() / guest_page;
    slots_.push_back({this_one, *slot.range, slot.start.value, pages,
                      std::vector<std::uint64_t>((pages + bits_of_a_word - 1) / bits_of_a_word)});
  }
}

void DirtyBitmap::start(std::chrono::nanoseconds period) {
  period_ = period;
  if (!slots_.empty()) wait();
}

void DirtyBitmap::wait() {
  timer_.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(period_));
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    take_modified();
    wait();
  });
}

void DirtyBitmap::take_modified() noexcept {
  for (Slot& slot : slots_) {
    if (!vm_.dirty_log(slot.number, slot.bits)) continue;
    const stats::Cycles when = read_tsc();
    for (std::size_t i = 0; i < slot.bits.size(); ++i) {
      for (std::uint64_t left = slot.bits[i]; left != 0; left &= left - 1) {
        const std::uint64_t page = i * 64 + static_cast<unsigned>(std::countr_zero(left));
        if (page < slot.pages) guard_.modified(slot.range, slot.start + page * guest_page, {}, when);
      }
    }
  }
}

}  // namespace kvmbench
