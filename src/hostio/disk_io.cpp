#include "hostio/disk_io.hpp"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <mutex>
#include <new>

namespace kvmbench::hostio {
namespace {

using Kind = BlockRequest::Kind;

constexpr std::size_t bounce_size = 256 * 1024;
constexpr std::uint64_t page = 4096;

/// What is written where a file system cannot make zeroes itself.
alignas(4096) constinit std::array<std::byte, 64 * 1024> zeroes{};

std::uint64_t sum(std::span<const iovec> buffers) noexcept {
  std::uint64_t bytes = 0;
  for (const iovec& buffer : buffers) bytes += buffer.iov_len;
  return bytes;
}

/// Drops the first `count` bytes.
void advance(std::span<iovec>& buffers, std::size_t count) noexcept {
  while (!buffers.empty() && count >= buffers.front().iov_len) {
    count -= buffers.front().iov_len;
    buffers = buffers.subspan(1);
  }
  if (count == 0 || buffers.empty()) return;
  buffers.front().iov_base = static_cast<std::byte*>(buffers.front().iov_base) + count;
  buffers.front().iov_len -= count;
}

/// Copies between `memory` and the buffers, whose bytes are then used up.
void copy(std::span<iovec>& buffers, std::span<std::byte> memory, bool into_buffers) noexcept {
  while (!memory.empty() && !buffers.empty()) {
    const iovec first = buffers.front();
    const std::size_t count = std::min(first.iov_len, memory.size());
    if (into_buffers) {
      std::memcpy(first.iov_base, memory.data(), count);
    } else {
      std::memcpy(memory.data(), first.iov_base, count);
    }
    memory = memory.subspan(count);
    advance(buffers, count);
  }
}

/// Repeats the call that signals and short transfers break off. 0 or errno.
int transfer_all(int fd, bool write, std::span<iovec> buffers, std::uint64_t offset) noexcept {
  while (!buffers.empty()) {
    const auto count = static_cast<int>(std::min<std::size_t>(buffers.size(), IOV_MAX));
    const auto at = static_cast<off_t>(offset);
    const ssize_t moved =
        write ? ::pwritev(fd, buffers.data(), count, at) : ::preadv(fd, buffers.data(), count, at);
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return errno;
    if (moved == 0 && sum(buffers) != 0) return write ? ENOSPC : EIO;  // past the end of what was longer once
    advance(buffers, static_cast<std::size_t>(moved));
    offset += static_cast<std::uint64_t>(moved);
  }
  return 0;
}

int allocate(int fd, int mode, std::uint64_t offset, std::uint64_t length) noexcept {
  while (::fallocate(fd, mode, static_cast<off_t>(offset), static_cast<off_t>(length)) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

}  // namespace

DiskIo::DiskIo(const DiskFile& file, std::shared_mutex& writers, DirectAlignment alignment)
    : file_(file), writers_(writers), alignment_(alignment) {
  if (file.cache() != DiskCache::none) return;
  bounce_.reset(static_cast<std::byte*>(std::aligned_alloc(bounce_size, bounce_size)));
  if (!bounce_) throw std::bad_alloc();
}

bool DiskIo::transfer_cached(const BlockRequest& request) const noexcept {
  if (file_.cache() != DiskCache::writeback || !possible(request)) return false;
  const auto count = static_cast<int>(std::min<std::size_t>(request.buffers.size(), IOV_MAX));
  const auto at = static_cast<off_t>(request.offset);
  ssize_t moved = -1;
  if (request.kind == Kind::read) {
    moved = ::preadv2(file_.fd(), request.buffers.data(), count, at, RWF_NOWAIT);
  } else if (request.kind == Kind::write && (request.offset | request.length) % page == 0) {
    // Few file systems know RWF_NOWAIT here; but only a part of a page would first have to be read.
    if (!file_.read_only()) moved = ::pwritev(file_.fd(), request.buffers.data(), count, at);
  }
  return moved >= 0 && static_cast<std::uint64_t>(moved) == request.length;
}

int DiskIo::perform(BlockRequest& request) noexcept {
  if (!possible(request)) return EINVAL;
  if (request.kind == Kind::flush) return flush();
  if (request.kind == Kind::read) return transfer(request);
  if (file_.read_only()) return EROFS;
  if ((request.offset | request.length) % alignment_.offset != 0) {
    const std::unique_lock alone(writers_);
    return change(request);
  }
  const std::shared_lock with_others(writers_);
  return change(request);
}

int DiskIo::change(BlockRequest& request) noexcept {
  switch (request.kind) {
    case Kind::write:
      return transfer(request);
    case Kind::discard:
      return discard(request.offset, request.length);
    default:
      return write_zeroes(request);
  }
}

bool DiskIo::possible(const BlockRequest& request) const noexcept {
  const bool transfers = request.kind == Kind::read || request.kind == Kind::write;
  if (transfers && sum(request.buffers) != request.length) return false;
  return (request.offset | request.length) % sector_size == 0 && request.offset <= file_.size() &&
         request.length <= file_.size() - request.offset;
}

bool DiskIo::aligned(const BlockRequest& request) const noexcept {
  if (request.offset % alignment_.offset != 0) return false;
  return std::all_of(request.buffers.begin(), request.buffers.end(), [this](const iovec& buffer) {
    return reinterpret_cast<std::uintptr_t>(buffer.iov_base) % alignment_.memory == 0 &&
           buffer.iov_len % alignment_.offset == 0;
  });
}

int DiskIo::transfer(BlockRequest& request) noexcept {
  if (file_.cache() == DiskCache::none && !aligned(request)) return transfer_bounced(request);
  return transfer_all(file_.fd(), request.kind == Kind::write, request.buffers, request.offset);
}

int DiskIo::transfer_bounced(BlockRequest& request) noexcept {
  const std::uint64_t block = alignment_.offset;
  std::uint64_t at = request.offset;
  const std::uint64_t end = request.offset + request.length;
  while (at < end) {
    const std::uint64_t start = at - at % block;
    const std::uint64_t stop = std::min(end, start + bounce_size);
    const std::uint64_t blocks_length = (stop - start + block - 1) / block * block;
    iovec whole{bounce_.get(), blocks_length};
    const std::span<std::byte> part(bounce_.get() + (at - start), stop - at);
    const bool write = request.kind == Kind::write;
    if (!write || part.size() != blocks_length) {
      if (const int error = transfer_all(file_.fd(), false, {&whole, 1}, start); error != 0) return error;
    }
    copy(request.buffers, part, !write);
    whole = {bounce_.get(), blocks_length};
    if (write) {
      if (const int error = transfer_all(file_.fd(), true, {&whole, 1}, start); error != 0) return error;
    }
    at = stop;
  }
  return 0;
}

int DiskIo::discard(std::uint64_t offset, std::uint64_t length) noexcept {
  if (length == 0) return 0;
  int error = 0;
  if (file_.block_device()) {
    std::array<std::uint64_t, 2> range = {offset, length};
    error = ::ioctl(file_.fd(), BLKDISCARD, range.data()) == 0 ? 0 : errno;
  } else {
    error = allocate(file_.fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
  }
  return error == EOPNOTSUPP ? 0 : error;  // what is discarded may be anything afterwards, also what it was
}

int DiskIo::write_zeroes(const BlockRequest& request) noexcept {
  if (request.length == 0) return 0;
  const int mode = request.may_deallocate ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE;
  const int error = allocate(file_.fd(), mode | FALLOC_FL_KEEP_SIZE, request.offset, request.length);
  if (error != EOPNOTSUPP) return error;
  for (std::uint64_t done = 0; done < request.length;) {
    iovec piece{zeroes.data(), std::min<std::uint64_t>(zeroes.size(), request.length - done)};
    BlockRequest write{.kind = Kind::write,
                       .offset = request.offset + done,
                       .length = piece.iov_len,
                       .buffers = {&piece, 1}};
    const std::uint64_t length = piece.iov_len;
    if (const int failed = transfer(write); failed != 0) return failed;
    done += length;
  }
  return 0;
}

int DiskIo::flush() noexcept {
  if (file_.read_only()) return 0;
  while (::fdatasync(file_.fd()) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

}  // namespace kvmbench::hostio
