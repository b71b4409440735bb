#include "hostio/disk_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.hpp"
#include "devices/block_storage.hpp"

namespace kvmbench::hostio {
namespace {

/// What every file system and disk of today accepts, where the kernel (before 6.1) does not say.
constexpr std::uint64_t safe_alignment = 4096;

UsageError cannot_use(const std::string& path, const std::string& why) {
  return UsageError(fmt::format("cannot use '{}' as a disk: {}", path, why));
}

struct stat status_of(int fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) throw cannot_use(path, std::strerror(errno));
  return status;
}

/// Before it is opened: opening a FIFO would wait, and opening a tape would wind it.
bool is_block_device(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw cannot_use(path, std::strerror(errno));
  if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
    throw cannot_use(path, "it is neither a regular file nor a block device");
  }
  return S_ISBLK(status.st_mode);
}

std::string why_not_opened(int error, bool read_only, DiskCache cache) {
  if (error == EINVAL && cache == DiskCache::none) {
    return "its file system does not have O_DIRECT; use cache=writeback";
  }
  if (error == EBUSY) return "the block device is in use, for instance mounted; unmount it, or add readonly";
  if ((error == EACCES || error == EROFS || error == EPERM || error == ETXTBSY) && !read_only) {
    return fmt::format("{}; add readonly if the guest need not write", std::strerror(error));
  }
  return std::strerror(error);
}

UniqueFd open_disk(const std::string& path, bool read_only, bool block_device, DiskCache cache) {
  int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (read_only ? O_RDONLY : O_RDWR);
  if (cache == DiskCache::none) flags |= O_DIRECT;
  if (block_device && !read_only) flags |= O_EXCL;
  UniqueFd fd(::open(path.c_str(), flags));
  if (!fd) throw cannot_use(path, why_not_opened(errno, read_only, cache));
  return fd;
}

void lock(int fd, const std::string& path, bool read_only) {
  struct flock wanted {};
  wanted.l_type = static_cast<short>(read_only ? F_RDLCK : F_WRLCK);
  wanted.l_whence = SEEK_SET;  // from 0, and a length of 0: all of it
  if (::fcntl(fd, F_OFD_SETLK, &wanted) == 0) return;
  if (errno != EAGAIN && errno != EACCES) {
    throw HostError::from_errno(fmt::format("cannot lock the disk '{}'", path));
  }
  throw cannot_use(path, read_only
                             ? "another program writes to it (it holds a lock); end that one first"
                             : "another program has it open as a disk (it holds a lock); end that one, or "
                               "add readonly to both");
}

std::uint64_t size_of(int fd, const std::string& path, bool block_device) {
  std::uint64_t size = 0;
  if (block_device) {
    if (::ioctl(fd, BLKGETSIZE64, &size) != 0) throw cannot_use(path, std::strerror(errno));
  } else {
    size = static_cast<std::uint64_t>(status_of(fd, path).st_size);
  }
  if (size == 0)
    throw cannot_use(path, "it is empty; make it as large as the disk is to be (truncate -s 1G)");
  if (size % sector_size != 0) {
    throw cannot_use(path, fmt::format("its {} bytes are not a whole number of 512-byte sectors; lengthen it "
                                       "(truncate -s %512)",
                                       size));
  }
  return size;
}

DirectAlignment direct_alignment(int fd, bool block_device) {
  struct statx status {};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) == 0 &&
      (status.stx_mask & STATX_DIOALIGN) != 0 && status.stx_dio_offset_align != 0) {
    return {.offset = status.stx_dio_offset_align, .memory = std::max(status.stx_dio_mem_align, 1u)};
  }
  int logical = 0;
  if (block_device && ::ioctl(fd, BLKSSZGET, &logical) == 0 && logical > 0) {
    return {.offset = static_cast<std::uint64_t>(logical), .memory = static_cast<std::uint64_t>(logical)};
  }
  return {.offset = safe_alignment, .memory = safe_alignment};
}

}  // namespace

DiskFile::DiskFile(const std::string& path, bool read_only, DiskCache cache)
    : read_only_(read_only), cache_(cache), block_device_(is_block_device(path)) {
  fd_ = open_disk(path, read_only, block_device_, cache);
  if (S_ISBLK(status_of(fd_.get(), path).st_mode) != block_device_) {
    throw cannot_use(path, "it was replaced while it was opened");
  }
  lock(fd_.get(), path, read_only);
  size_ = size_of(fd_.get(), path, block_device_);
  if (cache == DiskCache::none) alignment_ = direct_alignment(fd_.get(), block_device_);
  if (size_ % alignment_.offset != 0) {
    throw cannot_use(path, fmt::format("with cache=none its size must be a multiple of {} bytes; lengthen it "
                                       "(truncate -s %{}), or use cache=writeback",
                                       alignment_.offset, alignment_.offset));
  }
}

}  // namespace kvmbench::hostio
