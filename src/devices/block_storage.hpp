/// What a disk's contents are kept in, as the device that offers them to a guest sees it.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <span>

namespace kvmbench {

/// The unit in which both disks count, whatever the host's file system or disk has.
inline constexpr std::uint64_t sector_size = 512;

struct BlockRequest;

/// Whom a request came from.
class BlockRequester {
 public:
  virtual ~BlockRequester() = default;
  /// The request has been served, or could not be; it is the requester's again. Never from within submit():
  /// on a thread of the storage's, without any lock of it held, so that further requests may be submitted
  /// from here.
  virtual void completed(BlockRequest& request, bool succeeded) noexcept = 0;
};

/// From submit() to completed() nobody but the storage may touch it or what `buffers` names.
struct BlockRequest {
  enum class Kind : std::uint8_t { read, write, flush, discard, write_zeroes };

  BlockRequester* requester = nullptr;
  Kind kind = Kind::read;
  bool may_deallocate = false;   ///< write_zeroes: the range need not keep its place on the host
  std::uint64_t offset = 0;      ///< bytes, a multiple of sector_size; none for flush
  std::uint64_t length = 0;      ///< the same; the buffers' sum for read and write
  std::span<iovec> buffers;      ///< read and write; the storage uses the array up as it goes
  BlockRequest* next = nullptr;  ///< the storage's
};

/// Requests are served in any order and several at once, as on a disk with a command queue: one that must
/// come after another is submitted when that one has completed. A flush makes durable what had completed
/// before it was submitted.
class BlockStorage {
 public:
  virtual ~BlockStorage() = default;
  /// In bytes, a multiple of sector_size, at least one; never changes.
  [[nodiscard]] virtual std::uint64_t size() const noexcept = 0;
  [[nodiscard]] virtual bool read_only() const noexcept = 0;

  /// Takes the request and returns at once: no I/O, no allocation. One that reaches past the end, or would
  /// change what is read-only, fails. Any thread.
  virtual void submit(BlockRequest& request) noexcept = 0;
  /// Does a read or a write now, where the host has it in memory and need not wait for the medium. False
  /// where it has not, or could not: what was done of it does no harm, and it is to be submitted. No
  /// completed() comes. On threads that may make system calls: not a vCPU's.
  [[nodiscard]] virtual bool serve_at_once(BlockRequest& request) noexcept = 0;
  /// Waits until nothing that was submitted is under way and no completed() runs. Not from completed().
  virtual void drain() noexcept = 0;
};

}  // namespace kvmbench
