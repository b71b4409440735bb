/// A capture file in the libpcap format with nanoseconds (draft-ietf-opsawg-pcap, sections 4 and 5), as
/// tcpdump and Wireshark read it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>

#include "base/unique_fd.hpp"
#include "devices/network_backend.hpp"

namespace kvmbench::hostio {

class PcapFile final {
 public:
  /// Makes the file, or empties it. Throws UsageError where it cannot be written or is not a regular file.
  explicit PcapFile(const std::string& path);

  /// Adds a frame with the time of day; any thread. The first write that fails is reported on standard error
  /// and ends the recording, with the frames before it kept.
  void record(const OutgoingFrame& frame) noexcept;

 private:
  void fail(const char* why) noexcept;

  const std::string path_;
  UniqueFd file_;
  std::mutex mutex_;
  std::uint64_t size_ = 0;  // of the file header and the whole records behind it
  std::uint64_t frames_ = 0;
  bool failed_ = false;
};

}  // namespace kvmbench::hostio
