#include "vmm/exits_counter.hpp"

#include <unistd.h>

#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "vmm/linux_kvm.hpp"

namespace kvmbench {
namespace {

bool read_at(int fd, void* to, std::size_t size, off_t offset) {
  return ::pread(fd, to, size, offset) == static_cast<ssize_t>(size);
}

}  // namespace

std::optional<ExitsCounter> ExitsCounter::open(UniqueFd stats_fd) {
  kvm_stats_header header{};
  if (!stats_fd || !read_at(stats_fd.get(), &header, sizeof(header), 0)) return std::nullopt;
  const std::size_t descriptor_size = sizeof(kvm_stats_desc) + header.name_size;
  std::vector<char> descriptor(descriptor_size);
  for (std::uint32_t i = 0; i < header.num_desc; ++i) {
    const auto at = static_cast<off_t>(header.desc_offset + i * descriptor_size);
    if (!read_at(stats_fd.get(), descriptor.data(), descriptor_size, at)) return std::nullopt;
    kvm_stats_desc fields{};
    std::memcpy(&fields, descriptor.data(), sizeof(fields));
    const char* name = descriptor.data() + sizeof(kvm_stats_desc);
    if (std::string_view(name, ::strnlen(name, header.name_size)) != "exits" || fields.size != 1) continue;
    return ExitsCounter(std::move(stats_fd), static_cast<off_t>(header.data_offset) + fields.offset);
  }
  return std::nullopt;
}

std::uint64_t ExitsCounter::read() const noexcept {
  std::uint64_t value = 0;
  read_at(fd_.get(), &value, sizeof(value), offset_);
  return value;
}

}  // namespace kvmbench
