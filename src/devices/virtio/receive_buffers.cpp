#include "devices/virtio/receive_buffers.hpp"

#include <algorithm>
#include <utility>

namespace kvmbench::virtio {

ReceiveBuffers::Outcome ReceiveBuffers::store(virtio_net_hdr_v1 header, std::span<const std::byte> frame,
                                              bool mergeable) {
  const std::size_t needed = sizeof header + frame.size();
  while (kept_bytes_ < needed) {
    if (mergeable ? kept_entries_ >= queue_.size() : kept_ == 1) return Outcome::too_long;
    if (take() != Taken::one) return Outcome::no_room;
  }
  std::size_t chains = 0;
  for (std::uint64_t bytes = 0; bytes < needed; ++chains) bytes += chains_[chains].writable.size();
  header.num_buffers = static_cast<std::uint16_t>(chains);
  fill(header, frame, chains);
  return Outcome::stored;
}

/// Takes one more chain of the queue.
ReceiveBuffers::Taken ReceiveBuffers::take() {
  if (kept_ == chains_.size()) chains_.emplace_back();
  Chain& chain = chains_[kept_];
  while (!queue_.pop(chain)) {
    listening_ = true;
    if (queue_.listen()) return Taken::none;
  }
  if (std::exchange(listening_, false)) queue_.silence();
  if (chain.writable.size() < sizeof(virtio_net_hdr_v1)) {
    queue_.fail("a receive buffer that is shorter than the header");
    queue_.push(chain, 0);
    return Taken::fault;
  }
  kept_bytes_ += chain.writable.size();
  kept_entries_ += chain.descriptors;
  ++kept_;
  return Taken::one;
}

void ReceiveBuffers::fill(const virtio_net_hdr_v1& header, std::span<const std::byte> frame,
                          std::size_t chains) noexcept {
  used_.clear();
  for (std::size_t i = 0; i < chains; ++i) {
    const auto& room = chains_[i].writable;
    std::size_t written = 0;
    if (i == 0) written = room.write(0, std::as_bytes(std::span(&header, 1)));
    const std::size_t part = room.write(written, frame);
    frame = frame.subspan(part);
    used_.push_back({&chains_[i], static_cast<std::uint32_t>(written + part)});
    kept_bytes_ -= room.size();
    kept_entries_ -= chains_[i].descriptors;
  }
  queue_.push_together(used_);
  queue_.signal();
  kept_ -= chains;
  std::rotate(chains_.begin(), chains_.begin() + static_cast<std::ptrdiff_t>(chains),
              chains_.begin() + static_cast<std::ptrdiff_t>(chains + kept_));
}

void ReceiveBuffers::give_back() noexcept {
  for (; kept_ != 0; --kept_) queue_.unpop(chains_[kept_ - 1]);
  kept_bytes_ = 0;
  kept_entries_ = 0;
  listening_ = true;
}

}  // namespace kvmbench::virtio
