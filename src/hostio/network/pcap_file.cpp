#include "hostio/network/pcap_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "base/error.hpp"
#include "hostio/network/frame_vector.hpp"

namespace kvmbench::hostio {
namespace {

/// Section 4. All fields in this host's order, which the magic number shows.
struct FileHeader {
  std::uint32_t magic = 0xa1b23c4d;  // times in nanoseconds
  std::uint16_t major = 2;
  std::uint16_t minor = 4;
  std::uint32_t reserved1 = 0;
  std::uint32_t reserved2 = 0;
  std::uint32_t snap_length = 262144;  // more than any frame has
  std::uint32_t link_type = 1;         // LINKTYPE_ETHERNET, without FCS
};
static_assert(sizeof(FileHeader) == 24 && max_frame_size < FileHeader{}.snap_length);

/// Section 5. The time of day wraps in 2106.
struct RecordHeader {
  std::uint32_t seconds;
  std::uint32_t nanoseconds;
  std::uint32_t captured_length;
  std::uint32_t original_length;
};
static_assert(sizeof(RecordHeader) == 16);

UniqueFd create(const std::string& path) {
  // O_NONBLOCK: not to wait for the reader of a FIFO.
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0666));
  if (!fd) throw UsageError(fmt::format("capture file '{}': {}", path, std::strerror(errno)));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw HostError::from_errno(path);
  if (!S_ISREG(status.st_mode)) {
    throw UsageError(fmt::format("capture file '{}' is not a regular file: give another path", path));
  }
  if (::ftruncate(fd.get(), 0) != 0) throw HostError::from_errno(path);
  return fd;
}

}  // namespace

PcapFile::PcapFile(const std::string& path) : path_(path), file_(create(path)), size_(sizeof(FileHeader)) {
  const FileHeader header;
  const ssize_t written = ::write(file_.get(), &header, sizeof header);
  if (written < 0) throw HostError::from_errno(fmt::format("capture file '{}'", path));
  if (written != sizeof header) throw HostError(fmt::format("capture file '{}': no space left", path));
}

void PcapFile::record(const OutgoingFrame& frame) noexcept {
  const std::size_t size = frame.size();
  if (size == 0 || size > max_frame_size) return;
  const std::lock_guard lock(mutex_);
  if (failed_) return;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const auto length = static_cast<std::uint32_t>(size);
  const RecordHeader header{.seconds = static_cast<std::uint32_t>(now.tv_sec),
                            .nanoseconds = static_cast<std::uint32_t>(now.tv_nsec),
                            .captured_length = length,
                            .original_length = length};
  FrameVector vector(std::as_bytes(std::span(&header, 1)), frame);
  const auto pieces = vector.pieces();
  const ssize_t written = ::writev(file_.get(), pieces.data(), static_cast<int>(pieces.size()));
  if (written < 0) return fail(std::strerror(errno));
  if (static_cast<std::size_t>(written) != sizeof header + size) return fail("no space left for more");
  size_ += static_cast<std::size_t>(written);
  ++frames_;
}

void PcapFile::fail(const char* why) noexcept {
  failed_ = true;
  // Without the beginning of a record, which readers would stumble over.
  const bool whole = ::ftruncate(file_.get(), static_cast<off_t>(size_)) == 0;
  std::fputs(fmt::format("kvmbench: capture file '{}': {}: recording has ended after {} frames{}\n", path_,
                         why, frames_, whole ? "" : ", and a part of one")
                 .c_str(),
             stderr);
}

}  // namespace kvmbench::hostio
