/// --serial file:PATH
#pragma once

#include "base/unique_fd.hpp"
#include "hostio/stream_backend.hpp"

namespace kvmbench::hostio {

/// Output only. A regular file is made, or emptied; a FIFO with a reader, a terminal and /dev/null are
/// written as they are. Throws UsageError for anything else, before a byte of it is changed.
class FileBackend final : public StreamBackend {
 public:
  FileBackend(boost::asio::io_context& io, const std::string& path);

 private:
  UniqueFd file_;
};

}  // namespace kvmbench::hostio
