#include "stats/exit_site.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <tuple>

namespace kvmbench::stats {
namespace {

auto order(const SiteStats& stats) {
  const ExitKey& key = stats.site.key;
  return std::tie(key.reason, key.address, key.width, key.direction, stats.site.rip);
}

bool before(const SiteStats& left, const SiteStats& right) {
  return order(left) < order(right);
}

}  // namespace

SiteTable::SiteTable() : entries_(most_sites + 1), slots_(std::size_t{1} << slot_bits) {
  entries_.back().site = no_room;
}

std::size_t SiteTable::slot_of(const ExitSite& site) const noexcept {
  const auto [address, rest] = std::bit_cast<std::array<std::uint64_t, 2>>(site.key);
  std::uint64_t hash = site.rip;
  for (const std::uint64_t word : {address, rest}) {
    hash = (hash ^ word) * 0x9e37'79b9'7f4a'7c15;  // 2^64 / golden ratio
    hash ^= hash >> 32;
  }
  hash *= 0x9e37'79b9'7f4a'7c15;
  for (std::size_t slot = hash >> (64 - slot_bits);; slot = (slot + 1) % slots_.size()) {
    if (slots_[slot] == 0 || entries_[slots_[slot] - 1u].site == site) return slot;
  }
}

void SiteTable::record(const ExitKey& key, std::uint64_t rip, Cycles service) noexcept {
  ExitSite site{key, rip};
  site.key.phase = 0;
  if (last_ == nullptr || last_->site != site) {
    const std::size_t slot = slot_of(site);
    const std::size_t size = size_.load(std::memory_order_relaxed);
    if (slots_[slot] != 0) {
      last_ = &entries_[slots_[slot] - 1u];
    } else if (size < most_sites) {
      last_ = &entries_[size];
      last_->site = site;
      slots_[slot] = static_cast<std::uint16_t>(size + 1);
      size_.store(size + 1, std::memory_order_release);
    } else {
      last_ = &entries_.back();
    }
  }
  // There is one writer: a load and a store do what a locked addition would.
  last_->count.store(last_->count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  last_->service.store(last_->service.load(std::memory_order_relaxed) + service, std::memory_order_relaxed);
}

std::vector<SiteStats> SiteTable::snapshot() const {
  std::vector<SiteStats> sites;
  const std::size_t size = size_.load(std::memory_order_acquire);
  sites.reserve(size + 1);
  const auto add = [&sites](const Entry& entry) {
    const std::uint64_t count = entry.count.load(std::memory_order_relaxed);
    if (count != 0) sites.push_back({entry.site, count, entry.service.load(std::memory_order_relaxed)});
  };
  for (std::size_t i = 0; i < size; ++i) add(entries_[i]);
  add(entries_.back());
  return sites;
}

std::vector<SiteStats> by_site(const std::vector<SiteStats>& sites) {
  std::vector<SiteStats> sorted = sites;
  std::sort(sorted.begin(), sorted.end(), before);
  std::vector<SiteStats> sums;
  for (const SiteStats& site : sorted) {
    if (sums.empty() || sums.back().site != site.site) {
      sums.push_back(site);
    } else {
      sums.back().count += site.count;
      sums.back().service += site.service;
    }
  }
  return sums;
}

std::vector<SiteStats> grown_sites(const std::vector<SiteStats>& later,
                                   const std::vector<SiteStats>& earlier) {
  const std::vector<SiteStats> known = by_site(earlier);
  std::vector<SiteStats> grown;
  for (SiteStats site : later) {
    const auto at = std::lower_bound(known.begin(), known.end(), site, before);
    if (at != known.end() && at->site == site.site) {
      site.count -= at->count;
      site.service -= at->service;
    }
    if (site.count != 0) grown.push_back(site);
  }
  return grown;
}

}  // namespace kvmbench::stats
