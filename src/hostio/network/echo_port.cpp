#include "hostio/network/echo_port.hpp"

#include "hostio/network/echo_reply.hpp"

namespace kvmbench::hostio {

bool EchoPort::send(const OutgoingFrame& frame) noexcept {
  const FrameQueue::Push push = sent_.push(frame);
  if (push == FrameQueue::Push::queued_first) wake();
  return push != FrameQueue::Push::dropped;
}

std::optional<IncomingFrame> EchoPort::next() noexcept {
  if (given_out_) sent_.pop();
  given_out_ = false;
  for (auto frame = sent_.front(); !frame.empty(); frame = sent_.front()) {
    if (const std::size_t size = make_echo_reply(frame); size != 0) {
      given_out_ = true;
      return IncomingFrame{.header = {}, .bytes = frame.first(size)};
    }
    sent_.pop();
  }
  return std::nullopt;
}

}  // namespace kvmbench::hostio
