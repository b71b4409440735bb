#include "vmm/boot/gunzip.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

#include "base/error.hpp"

namespace kvmbench::boot {
namespace {

constexpr std::size_t first_output = 1 << 20;
constexpr int gzip_window = 16 + MAX_WBITS;  // zlib.h, inflateInit2: gzip header and trailer only

class Inflater final {
 public:
  Inflater() {
    if (inflateInit2(&stream_, gzip_window) != Z_OK) throw std::bad_alloc();
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }

  /// Moves `in` and `out` on by what was read and written; returns zlib's status.
  int step(std::span<const std::byte>& in, std::span<std::byte>& out) {
    constexpr std::size_t most = std::numeric_limits<uInt>::max();
    const auto in_size = static_cast<uInt>(std::min(in.size(), most));
    const auto out_size = static_cast<uInt>(std::min(out.size(), most));
    // zlib does not write to its input, though next_in is not const without ZLIB_CONST.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
    stream_.avail_in = in_size;
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = out_size;
    const int status = inflate(&stream_, Z_NO_FLUSH);
    in = in.subspan(in_size - stream_.avail_in);
    out = out.subspan(out_size - stream_.avail_out);
    return status;
  }
  void next_member() { inflateReset(&stream_); }

 private:
  z_stream stream_{};
};

}  // namespace

bool is_gzip(std::span<const std::byte> bytes) {
  return bytes.size() >= 3 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b} &&
         bytes[2] == std::byte{Z_DEFLATED};
}

std::vector<std::byte> gunzip(const File& file, std::uint64_t limit) {
  Inflater inflater;
  std::span<const std::byte> in = file.bytes;
  std::vector<std::byte> unpacked(std::min<std::uint64_t>(first_output, limit));
  std::size_t used = 0;
  while (true) {
    std::span<std::byte> out = std::span(unpacked).subspan(used);
    const int status = inflater.step(in, out);
    used = unpacked.size() - out.size();
    if (status == Z_STREAM_END) {
      if (!is_gzip(in)) break;
      inflater.next_member();
    } else if (status == Z_BUF_ERROR && !out.empty()) {
      throw UsageError(fmt::format("{}: is a gzip file that is cut off", file.name));
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      throw UsageError(fmt::format("{}: is a damaged gzip file", file.name));
    }
    if (!out.empty()) continue;
    if (used == limit) {
      throw UsageError(fmt::format(
          "{}: unpacks to more than {} bytes, what guest memory could hold; give the guest more (--mem)",
          file.name, limit));
    }
    unpacked.resize(std::min<std::uint64_t>(limit, 2 * unpacked.size()));
  }
  unpacked.resize(used);
  return unpacked;
}

}  // namespace kvmbench::boot
