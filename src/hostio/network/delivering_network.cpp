#include "hostio/network/delivering_network.hpp"

#include <poll.h>
#include <pthread.h>

#include <array>
#include <optional>
#include <system_error>
#include <utility>

#include "base/blocked_signals.hpp"
#include "base/error.hpp"

namespace kvmbench::hostio {
namespace {

constexpr unsigned pack(const NetworkOffloads& offloads) noexcept {
  return (offloads.checksum ? 1u : 0) | (offloads.tso4 ? 2u : 0) | (offloads.tso6 ? 4u : 0) |
         (offloads.ecn ? 8u : 0) | (offloads.ufo ? 16u : 0);
}

constexpr NetworkOffloads unpack(unsigned bits) noexcept {
  return {.checksum = (bits & 1) != 0,
          .tso4 = (bits & 2) != 0,
          .tso6 = (bits & 4) != 0,
          .ecn = (bits & 8) != 0,
          .ufo = (bits & 16) != 0};
}

}  // namespace

DeliveringNetwork::DeliveringNetwork(std::unique_ptr<FramePort> port) : port_(std::move(port)) {
  port_->set_wake(event_);
}

bool DeliveringNetwork::send(const OutgoingFrame& frame) noexcept {
  const std::size_t size = frame.size();
  return size != 0 && size <= max_frame_size && port_->send(frame);
}

void DeliveringNetwork::room() noexcept {
  if (refused_.exchange(false)) event_.ring();
}

void DeliveringNetwork::accept_offloads(const NetworkOffloads& offloads) noexcept {
  // The port may have to wait for the host's kernel: that is not for a vCPU.
  const unsigned packed = pack(offloads);
  if (offloads_.exchange(packed) != packed) event_.ring();
}

void DeliveringNetwork::start(FrameReceiver& card) {
  const BlockedSignals blocked;  // the new thread inherits the mask
  try {
    thread_ = std::thread([this, &card] { deliver(card); });
  } catch (const std::system_error& error) {
    throw HostError(std::string("the network's thread: ") + error.what());
  }
  ::pthread_setname_np(thread_.native_handle(), "network");
}

void DeliveringNetwork::stop() noexcept {
  if (!thread_.joinable()) return;
  stopping_.store(true);
  event_.ring();
  thread_.join();
}

void DeliveringNetwork::deliver(FrameReceiver& card) noexcept {
  std::optional<IncomingFrame> frame;  // taken from the port and not yet by the card
  bool up = port_->link_up();
  while (!stopping_.load()) {
    apply_offloads();
    if (!frame) frame = port_->next();
    if (up != port_->link_up()) {
      up = !up;
      card.link_changed();
    }
    if (frame && offer(card, *frame)) {
      frame.reset();
    } else {
      wait(frame.has_value());
    }
  }
}

bool DeliveringNetwork::offer(FrameReceiver& card, const IncomingFrame& frame) noexcept {
  if (card.receive(frame.header, frame.bytes)) return true;
  refused_.store(true);
  // Once more: a room() that came between the refusal and the store found nothing to ring for.
  if (!card.receive(frame.header, frame.bytes)) return false;
  refused_.store(false);
  return true;
}

void DeliveringNetwork::apply_offloads() noexcept {
  const unsigned wanted = offloads_.load();
  if (wanted == applied_offloads_) return;
  applied_offloads_ = wanted;
  port_->accept_offloads(unpack(wanted));
}

void DeliveringNetwork::wait(bool refused) noexcept {
  const FramePort::Watch watch = port_->watch();
  // A descriptor that is looked at for nothing would still report that its peer is gone, at once and always.
  const bool idle = refused && !watch.writable;
  const int events = (refused ? 0 : POLLIN) | (watch.writable ? POLLOUT : 0);
  std::array<pollfd, 2> fds{
      {{event_.fd(), POLLIN, 0}, {idle ? -1 : watch.fd, static_cast<short>(events), 0}}};
  if (::poll(fds.data(), fds.size(), -1) < 0) return;
  if (fds[0].revents != 0) event_.answer();
  if (watch.writable && (fds[1].revents & ~POLLIN) != 0) port_->writable();
}

}  // namespace kvmbench::hostio
