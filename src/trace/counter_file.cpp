#include "trace/counter_file.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "vmm/linux_kvm.hpp"

namespace kvmbench::trace {
namespace {

using stats::KernelCounter;

// More than any kernel has by an order of magnitude: what a file may claim before it is not believed.
constexpr std::size_t most_bytes = std::size_t{1} << 20;

/// A descriptor without the name behind it: what ends in an array of any length is no value.
struct Descriptor {
  std::uint32_t flags;
  std::int16_t exponent;
  std::uint16_t size;
  std::uint32_t offset;
  std::uint32_t bucket_size;
};
static_assert(sizeof(Descriptor) == offsetof(kvm_stats_desc, name));

template <typename Value>
std::optional<Value> take(std::span<const std::byte> bytes, std::size_t at) {
  if (at > bytes.size() || bytes.size() - at < sizeof(Value)) return std::nullopt;
  Value value;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

/// Where the descriptors end, from the start of the file.
std::size_t descriptors_end(const kvm_stats_header& header) {
  return header.desc_offset + std::size_t{header.num_desc} * (sizeof(Descriptor) + header.name_size);
}

std::optional<KernelCounter> counter_of(const Descriptor& descriptor, std::string name) {
  const std::uint32_t type = (descriptor.flags & KVM_STATS_TYPE_MASK) >> KVM_STATS_TYPE_SHIFT;
  const std::uint32_t unit = (descriptor.flags & KVM_STATS_UNIT_MASK) >> KVM_STATS_UNIT_SHIFT;
  const std::uint32_t base = (descriptor.flags & KVM_STATS_BASE_MASK) >> KVM_STATS_BASE_SHIFT;
  const bool known = type <= static_cast<std::uint32_t>(KernelCounter::Type::log_histogram) &&
                     unit <= static_cast<std::uint32_t>(KernelCounter::Unit::boolean) && base <= 1;
  if (!known || descriptor.size == 0) return std::nullopt;
  KernelCounter counter;
  counter.name = std::move(name);
  counter.type = static_cast<KernelCounter::Type>(type);
  counter.unit = static_cast<KernelCounter::Unit>(unit);
  counter.base = base == 0 ? 10 : 2;
  counter.exponent = descriptor.exponent;
  counter.bucket_size = descriptor.bucket_size;
  return counter;
}

// The kernel's numbers are the enumerators' order.
static_assert(KVM_STATS_TYPE_LOG_HIST >> KVM_STATS_TYPE_SHIFT == int(KernelCounter::Type::log_histogram));
static_assert(KVM_STATS_UNIT_CYCLES >> KVM_STATS_UNIT_SHIFT == int(KernelCounter::Unit::cycles));

}  // namespace

std::optional<CounterLayout> CounterLayout::parse(std::span<const std::byte> file) {
  const auto header = take<kvm_stats_header>(file, 0);
  if (!header || descriptors_end(*header) > file.size()) return std::nullopt;
  CounterLayout layout;
  layout.data_offset = header->data_offset;
  for (std::uint32_t i = 0; i < header->num_desc; ++i) {
    const std::size_t at = header->desc_offset + i * (sizeof(Descriptor) + header->name_size);
    const auto descriptor = take<Descriptor>(file, at);
    if (!descriptor || descriptor->offset % sizeof(std::uint64_t) != 0) return std::nullopt;
    const char* name = reinterpret_cast<const char*>(file.data() + at + sizeof(Descriptor));
    auto counter = counter_of(*descriptor, std::string(name, ::strnlen(name, header->name_size)));
    if (!counter) continue;
    const std::size_t first = descriptor->offset / sizeof(std::uint64_t);
    layout.words = std::max(layout.words, first + descriptor->size);
    layout.places.push_back({std::move(*counter), first, descriptor->size});
  }
  if (layout.words > most_bytes / sizeof(std::uint64_t)) return std::nullopt;
  return layout;
}

std::optional<CounterFile> CounterFile::open(UniqueFd fd) {
  kvm_stats_header header{};
  if (!fd || ::pread(fd.get(), &header, sizeof(header), 0) != sizeof(header)) return std::nullopt;
  const std::size_t size = descriptors_end(header);
  if (size > most_bytes) return std::nullopt;
  std::vector<std::byte> description(size);
  if (::pread(fd.get(), description.data(), size, 0) != static_cast<ssize_t>(size)) return std::nullopt;
  auto layout = CounterLayout::parse(description);
  if (!layout) return std::nullopt;
  return CounterFile(std::move(fd), std::move(*layout));
}

CounterFile::CounterFile(UniqueFd fd, CounterLayout layout) : fd_(std::move(fd)), layout_(std::move(layout)) {
  for (const CounterLayout::Place& place : layout_.places) {
    if (place.counter.name == "exits" && place.count == 1)
      exits_offset_ = layout_.data_offset + static_cast<off_t>(place.first * sizeof(std::uint64_t));
  }
}

stats::KernelCounters CounterFile::read() const {
  std::vector<std::uint64_t> data(layout_.words);
  const std::size_t size = data.size() * sizeof(data[0]);
  if (::pread(fd_.get(), data.data(), size, layout_.data_offset) != static_cast<ssize_t>(size)) return {};
  stats::KernelCounters counters;
  counters.reserve(layout_.places.size());
  for (const CounterLayout::Place& place : layout_.places) {
    stats::KernelCounter& counter = counters.emplace_back(place.counter);
    const auto first = data.begin() + static_cast<std::ptrdiff_t>(place.first);
    counter.values.assign(first, first + static_cast<std::ptrdiff_t>(place.count));
  }
  return counters;
}

std::uint64_t CounterFile::exits() const noexcept {
  std::uint64_t value = 0;
  if (!has_exits() || ::pread(fd_.get(), &value, sizeof(value), exits_offset_) != sizeof(value)) return 0;
  return value;
}

}  // namespace kvmbench::trace
