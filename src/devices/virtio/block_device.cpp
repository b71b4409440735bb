#include "devices/virtio/block_device.hpp"

#include <linux/virtio_ids.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "devices/virtio/features.hpp"

namespace kvmbench::virtio {
namespace {

using Kind = BlockRequest::Kind;

/// The configuration space up to what secure erase and zoned devices add (5.2.4).
constexpr std::uint32_t config_bytes = offsetof(virtio_blk_config, max_secure_erase_sectors);
constexpr std::uint32_t page_exponent = 3;  // of 512-byte blocks: a page, the host's unit

struct Field {
  std::uint32_t first;
  std::string_view name;
};
constexpr std::array<Field, 19> fields = {{
    {offsetof(virtio_blk_config, capacity), "capacity"},
    {offsetof(virtio_blk_config, size_max), "size_max"},
    {offsetof(virtio_blk_config, seg_max), "seg_max"},
    {offsetof(virtio_blk_config, geometry), "geometry"},
    {offsetof(virtio_blk_config, blk_size), "blk_size"},
    {offsetof(virtio_blk_config, physical_block_exp), "physical_block_exp"},
    {offsetof(virtio_blk_config, alignment_offset), "alignment_offset"},
    {offsetof(virtio_blk_config, min_io_size), "min_io_size"},
    {offsetof(virtio_blk_config, opt_io_size), "opt_io_size"},
    {offsetof(virtio_blk_config, wce), "writeback"},
    {offsetof(virtio_blk_config, unused), "unused0"},
    {offsetof(virtio_blk_config, num_queues), "num_queues"},
    {offsetof(virtio_blk_config, max_discard_sectors), "max_discard_sectors"},
    {offsetof(virtio_blk_config, max_discard_seg), "max_discard_seg"},
    {offsetof(virtio_blk_config, discard_sector_alignment), "discard_sector_alignment"},
    {offsetof(virtio_blk_config, max_write_zeroes_sectors), "max_write_zeroes_sectors"},
    {offsetof(virtio_blk_config, max_write_zeroes_seg), "max_write_zeroes_seg"},
    {offsetof(virtio_blk_config, write_zeroes_may_unmap), "write_zeroes_may_unmap"},
    {offsetof(virtio_blk_config, unused1), "unused1"},
}};

}  // namespace

BlockDevice::BlockDevice(std::string name, const GuestMemory& memory, BlockStorage& storage,
                         std::string serial, unsigned queues)
    : VirtioDevice(std::move(name), VIRTIO_ID_BLOCK, memory, std::vector<std::uint16_t>(queues, queue_size)),
      storage_(storage) {
  serial.copy(id_.data(), id_.size());
  for (unsigned number = 0; number < queues; ++number) {
    Spares& spares = spares_.emplace_back();
    for (unsigned i = 0; i < queue_size; ++i) {
      Request& request = requests_.emplace_back();
      request.requester = this;
      request.queue = number;
      spares.list.push_back(&request);
    }
  }
}

BlockDevice::~BlockDevice() {
  storage_.drain();
}

std::uint64_t BlockDevice::features() const noexcept {
  std::uint64_t offered = feature(VIRTIO_BLK_F_SEG_MAX) | feature(VIRTIO_BLK_F_BLK_SIZE) |
                          feature(VIRTIO_BLK_F_TOPOLOGY) | feature(VIRTIO_BLK_F_FLUSH) |
                          feature(VIRTIO_BLK_F_CONFIG_WCE) | feature(VIRTIO_BLK_F_MQ);
  if (storage_.read_only()) return offered | feature(VIRTIO_BLK_F_RO);
  return offered | feature(VIRTIO_BLK_F_DISCARD) | feature(VIRTIO_BLK_F_WRITE_ZEROES);
}

std::uint32_t BlockDevice::config_size() const noexcept {
  return config_bytes;
}

void BlockDevice::read_config(std::uint32_t offset, std::span<std::byte> to) noexcept {
  virtio_blk_config config{};
  config.capacity = storage_.size() / sector_size;
  config.seg_max = max_segments;
  config.blk_size = sector_size;
  config.physical_block_exp = page_exponent;
  config.min_io_size = 1;
  config.wce = write_back_.load(std::memory_order_relaxed) ? 1 : 0;
  config.num_queues = static_cast<std::uint16_t>(queues());
  if (!storage_.read_only()) {
    config.max_discard_sectors = max_clear_sectors;
    config.max_discard_seg = 1;
    config.discard_sector_alignment = 1;
    config.max_write_zeroes_sectors = max_clear_sectors;
    config.max_write_zeroes_seg = 1;
    config.write_zeroes_may_unmap = 1;
  }
  std::memcpy(to.data(), reinterpret_cast<const std::byte*>(&config) + offset, to.size());
}

void BlockDevice::write_config(std::uint32_t offset, std::span<const std::byte> from) noexcept {
  // Only writeback can be written, and only where it was negotiated (5.2.5.1).
  constexpr std::uint32_t writeback = offsetof(virtio_blk_config, wce);
  if ((accepted_.load(std::memory_order_relaxed) & feature(VIRTIO_BLK_F_CONFIG_WCE)) == 0) return;
  if (offset > writeback || from.size() <= writeback - offset) return;
  write_back_.store(from[writeback - offset] != std::byte{0}, std::memory_order_relaxed);
}

std::string_view BlockDevice::config_name(std::uint64_t offset) const noexcept {
  if (offset >= config_bytes) return {};
  const auto after = std::upper_bound(fields.begin(), fields.end(), offset,
                                      [](std::uint64_t at, const Field& field) { return at < field.first; });
  return std::prev(after)->name;
}

void BlockDevice::start(std::uint64_t features) {
  accepted_.store(features, std::memory_order_relaxed);
  // 5.2.5.2: a driver that cannot flush has its writes flushed for it.
  write_back_.store((features & feature(VIRTIO_BLK_F_FLUSH)) != 0, std::memory_order_relaxed);
}

void BlockDevice::reset() noexcept {
  accepted_.store(0, std::memory_order_relaxed);
  write_back_.store(true, std::memory_order_relaxed);
}

void BlockDevice::process(unsigned number) {
  Virtqueue& requests = queue(number);
  do {
    requests.silence();
    bool any_done = false;
    while (Request* const request = take_spare(number)) {
      if (!requests.pop(request->chain)) {
        const std::lock_guard lock(spares_[number].mutex);
        spares_[number].list.push_back(request);
        break;
      }
      request->in_burst = true;
      serve(*request);
      any_done = any_done || request->in_burst;
    }
    if (any_done) requests.signal();
  } while (!requests.listen());
}

/// Never null: a queue has no more chains in flight than it has entries.
BlockDevice::Request* BlockDevice::take_spare(unsigned number) {
  Spares& spares = spares_[number];
  const std::lock_guard lock(spares.mutex);
  if (spares.list.empty()) return nullptr;
  Request* const request = spares.list.back();
  spares.list.pop_back();
  return request;
}

void BlockDevice::serve(Request& request) {
  const Chain& chain = request.chain;
  request.reads = request.to_be_flushed = false;
  request.moved = 0;
  if (chain.writable.size() == 0) {
    queue(request.queue).fail("a request without room for its status");
    return finish(request, VIRTIO_BLK_S_IOERR);
  }
  const auto header = chain.readable.load<virtio_blk_outhdr>(0);
  if (!header) return finish(request, VIRTIO_BLK_S_IOERR);
  const std::uint64_t accepted = accepted_.load(std::memory_order_relaxed);
  switch (header->type) {
    case VIRTIO_BLK_T_IN:
      return transfer(request, false, header->sector);
    case VIRTIO_BLK_T_OUT:
      return transfer(request, true, header->sector);
    case VIRTIO_BLK_T_FLUSH:
      return flush(request);
    case VIRTIO_BLK_T_GET_ID:
      return identify(request);
    case VIRTIO_BLK_T_DISCARD:
      if ((accepted & feature(VIRTIO_BLK_F_DISCARD)) == 0) break;
      return clear(request, false);
    case VIRTIO_BLK_T_WRITE_ZEROES:
      if ((accepted & feature(VIRTIO_BLK_F_WRITE_ZEROES)) == 0) break;
      return clear(request, true);
    default:
      break;
  }
  finish(request, VIRTIO_BLK_S_UNSUPP);
}

bool BlockDevice::within(std::uint64_t sector, std::uint64_t bytes) const noexcept {
  const std::uint64_t capacity = storage_.size() / sector_size;
  return sector <= capacity && bytes / sector_size <= capacity - sector;
}

void BlockDevice::transfer(Request& request, bool write, std::uint64_t sector) {
  const Chain& chain = request.chain;
  const std::uint64_t length =
      write ? chain.readable.size() - sizeof(virtio_blk_outhdr) : std::uint64_t{chain.writable.size()} - 1;
  // 5.2.6.2: what is no whole number of sectors, past the end, or a write to a read-only device fails.
  if (length % sector_size != 0 || !within(sector, length) || (write && storage_.read_only())) {
    return finish(request, VIRTIO_BLK_S_IOERR);
  }
  if (length == 0) return finish(request, VIRTIO_BLK_S_OK);
  request.pieces.clear();
  const auto add = [&request](auto piece) {
    request.pieces.push_back({const_cast<std::byte*>(piece.data()), piece.size()});
  };
  if (write) {
    chain.readable.visit(sizeof(virtio_blk_outhdr), length, add);
  } else {
    chain.writable.visit(0, length, add);
  }
  request.kind = write ? Kind::write : Kind::read;
  request.offset = sector * sector_size;
  request.length = request.moved = length;
  request.buffers = request.pieces;
  request.reads = !write;
  request.to_be_flushed = write && !write_back_.load(std::memory_order_relaxed);
  if (storage_.serve_at_once(request)) return completed(request, true);
  submit(request);
}

/// Discard, or write zeroes: one segment, as the configuration says.
void BlockDevice::clear(Request& request, bool zeroes) {
  const Buffers<const std::byte>& given = request.chain.readable;
  const auto segment = given.load<virtio_blk_discard_write_zeroes>(sizeof(virtio_blk_outhdr));
  if (!segment || given.size() != sizeof(virtio_blk_outhdr) + sizeof *segment) {
    return finish(request, VIRTIO_BLK_S_IOERR);
  }
  const std::uint32_t known = zeroes ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0;
  if ((segment->flags & ~known) != 0) return finish(request, VIRTIO_BLK_S_UNSUPP);
  const std::uint64_t length = std::uint64_t{segment->num_sectors} * sector_size;
  if (storage_.read_only() || segment->num_sectors > max_clear_sectors || !within(segment->sector, length)) {
    return finish(request, VIRTIO_BLK_S_IOERR);
  }
  if (length == 0) return finish(request, VIRTIO_BLK_S_OK);
  request.kind = zeroes ? Kind::write_zeroes : Kind::discard;
  request.may_deallocate = (segment->flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP) != 0;
  request.offset = segment->sector * sector_size;
  request.length = length;
  request.buffers = {};
  request.to_be_flushed = zeroes && !write_back_.load(std::memory_order_relaxed);
  submit(request);
}

void BlockDevice::submit(Request& request) noexcept {
  request.in_burst = false;  // from here on it is a thread of the storage's
  storage_.submit(request);
}

void BlockDevice::flush(Request& request) noexcept {
  request.kind = Kind::flush;
  request.offset = request.length = 0;
  request.buffers = {};
  submit(request);
}

void BlockDevice::identify(Request& request) noexcept {
  const std::size_t room = request.chain.writable.size() - 1;
  const auto id = std::as_bytes(std::span(id_)).first(std::min(room, id_.size()));
  request.chain.writable.write(0, id);
  request.reads = room <= id_.size();
  finish(request, VIRTIO_BLK_S_OK);
}

void BlockDevice::completed(BlockRequest& done, bool succeeded) noexcept {
  auto& request = static_cast<Request&>(done);
  if (succeeded && std::exchange(request.to_be_flushed, false)) {
    if (request.kind == Kind::write) bytes_written_.fetch_add(request.moved, std::memory_order_relaxed);
    return flush(request);
  }
  if (succeeded) {
    if (request.kind == Kind::read) bytes_read_.fetch_add(request.moved, std::memory_order_relaxed);
    if (request.kind == Kind::write) bytes_written_.fetch_add(request.moved, std::memory_order_relaxed);
    if (request.kind == Kind::flush) flushes_.fetch_add(1, std::memory_order_relaxed);
  }
  request.reads = request.reads && succeeded;
  finish(request, succeeded ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR);
}

/// The status is the last byte that the driver has given room for; the used length says how much before it is
/// filled without gaps (2.7.8.2).
void BlockDevice::finish(Request& request, std::uint8_t status) noexcept {
  const Buffers<std::byte>& room = request.chain.writable;
  std::uint32_t written = 0;
  if (room.size() != 0 && room.store(room.size() - 1, status)) {
    written = request.reads || room.size() == 1 ? room.size() : 0;
  }
  Spares& spares = spares_[request.queue];
  const std::lock_guard lock(spares.mutex);
  if (request.in_burst) {
    queue(request.queue).push(request.chain, written);
  } else {
    queue(request.queue).complete(request.chain, written);
  }
  spares.list.push_back(&request);
}

std::vector<Operation> BlockDevice::operations() const {
  const std::uint64_t read = bytes_read_.load(std::memory_order_relaxed);
  const std::uint64_t written = bytes_written_.load(std::memory_order_relaxed);
  return {{"bytes", read + written},
          {"bytes read", read},
          {"bytes written", written},
          {"flushes", flushes_.load(std::memory_order_relaxed)}};
}

}  // namespace kvmbench::virtio
