#include "hostio/stream_backend.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <utility>

namespace kvmbench::hostio {

StreamBackend::StreamBackend(boost::asio::io_context& io, std::string name)
    : name_(std::move(name)),
      writer_(io, [this](int error) { output_failed(error); }),
      reader_(io, [this] { input_ended(); }) {}

void StreamBackend::output_failed(int error) {
  error_ = error;
  writer_.detach();
  writer_.queue().discard();
}

void StreamBackend::input_ended() {
  reader_.detach();
}

void StreamBackend::drain() {
  given_up_ = write_rest();
  const std::string text = loss();
  if (!text.empty()) std::fputs(fmt::format("kvmbench: {}\n", text).c_str(), stderr);
}

std::size_t StreamBackend::write_rest() {
  return writer_.drain() ? 0 : writer_.queue().size();
}

std::string StreamBackend::loss() const {
  const std::uint64_t bytes = writer_.queue().lost() + given_up_;
  if (bytes == 0) return {};
  const char* reason = error_ != 0 ? std::strerror(error_) : "its reader does not keep up";
  return fmt::format("{}: {} bytes of the guest's output were not written: {}", name_, bytes, reason);
}

}  // namespace kvmbench::hostio
