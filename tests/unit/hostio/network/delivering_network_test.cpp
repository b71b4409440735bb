#include "hostio/network/delivering_network.hpp"

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <thread>

#include "../support.hpp"
#include "base/error.hpp"
#include "frames.hpp"
#include "hostio/network/echo_port.hpp"
#include "hostio/network/network.hpp"
#include "hostio/network/socket_port.hpp"

using namespace kvmbench;
using namespace kvmbench::hostio;

namespace {

const Bytes echo_request =
    hex("026b 766d 62ff 026b 766d 6200 0800 4500 0023 1234 4000 4001 1096 0a00 020f 0a00 0202"
        "0800 66ca 0007 0001 6162 6364 6566 67");

struct Peers {
  UniqueFd peer;
  std::unique_ptr<FramePort> port;
};

Peers make_peers() {
  int fds[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
  return {UniqueFd(fds[0]), std::make_unique<SocketPort>(UniqueFd(fds[1]), "test")};
}

}  // namespace

TEST_CASE("what the port has is offered to the card") {
  auto [peer, port] = make_peers();
  RecordingCard card;
  DeliveringNetwork network(std::move(port));
  send(peer.get(), std::string("\0\0\0\1a", 5));
  network.start(card);
  CHECK(card.wait_for_frames(1));
  send(peer.get(), std::string("\0\0\0\1b", 5));
  CHECK(card.wait_for_frames(2));
  network.stop();
  CHECK(card.frames() == Frames{hex("61"), hex("62")});
}

TEST_CASE("a frame that the card refuses waits, and those behind it, until there is room") {
  auto [peer, port] = make_peers();
  RecordingCard card;
  card.set_room(0);
  DeliveringNetwork network(std::move(port));
  network.start(card);
  send(peer.get(), std::string("\0\0\0\1a\0\0\0\1b", 10));
  CHECK(card.wait_for_refusals(2));  // the second offer is the one that misses no room()
  CHECK(card.frames().empty());
  card.set_room(1);
  network.room();
  CHECK(card.wait_for_refusals(4));
  CHECK(card.frames() == Frames{hex("61")});
  card.set_room(1);
  network.room();
  CHECK(card.wait_for_frames(2));
  network.stop();
  CHECK(card.frames() == Frames{hex("61"), hex("62")});
}

TEST_CASE("no room() is missed, whenever it comes") {
  auto [peer, port] = make_peers();
  DeliveringNetwork network(std::move(port));
  /// Room for one frame at a time, made by another thread as soon as the last has come.
  struct Card final : FrameReceiver {
    [[nodiscard]] bool receive(const FrameHeader&, std::span<const std::byte>) noexcept override {
      const std::lock_guard lock(mutex);
      if (!room) return false;
      room = false;
      ++frames;
      return true;
    }
    void link_changed() noexcept override {}
    std::mutex mutex;
    bool room = false;
    int frames = 0;
  } card;
  network.start(card);
  constexpr int count = 20'000;
  std::thread sender([fd = peer.get()] {
    for (int i = 0; i < count; ++i) {
      if (::write(fd, "\0\0\0\1x", 5) != 5) return;
    }
  });
  bool all = true;
  for (int taken = 0; taken < count && all;) {
    {
      const std::lock_guard lock(card.mutex);
      card.room = true;
    }
    network.room();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (;;) {
      const std::lock_guard lock(card.mutex);
      if (card.frames > taken) {
        taken = card.frames;
        break;
      }
      if (std::chrono::steady_clock::now() > end) {
        all = false;
        break;
      }
    }
  }
  CHECK(all);
  if (!all) ::shutdown(peer.get(), SHUT_RDWR);
  sender.join();
  network.stop();
}

TEST_CASE("the card is told when its peer hangs up") {
  auto [peer, port] = make_peers();
  RecordingCard card;
  DeliveringNetwork network(std::move(port));
  network.start(card);
  CHECK(network.link_up());
  peer.reset();
  CHECK(card.wait_for_link_change());
  CHECK_FALSE(network.link_up());
}

TEST_CASE("a network stops while its card refuses a frame, and may be stopped twice") {
  auto [peer, port] = make_peers();
  RecordingCard card;
  card.set_room(0);
  DeliveringNetwork network(std::move(port));
  network.start(card);
  send(peer.get(), std::string("\0\0\0\1a", 5));
  CHECK(card.wait_for_refusals(1));
  network.stop();
  network.stop();
  CHECK(card.frames().empty());
  network.room();
}

TEST_CASE("frames of no bytes and of more than the longest are dropped") {
  auto [peer, port] = make_peers();
  DeliveringNetwork network(std::move(port));
  CHECK_FALSE(send_bytes(network, {}));
  CHECK_FALSE(send_bytes(network, numbered(max_frame_size + 1)));
  CHECK(send_bytes(network, numbered(max_frame_size)));
}

TEST_CASE("what vCPUs send to the echo comes back to the card, in order") {
  RecordingCard card;
  const Network network = open_network("echo", std::nullopt);
  CHECK(network.backend->link_up());
  network.backend->start(card);
  constexpr std::size_t count = 1000;
  std::size_t sent = 0;
  std::thread vcpu([&] {
    for (std::size_t i = 0; i < count; ++i) {
      if (send_bytes(*network.backend, echo_request)) ++sent;
      if (i % 100 == 0) send_bytes(*network.backend, hex("0102"));  // which nobody answers
    }
  });
  vcpu.join();
  CHECK(sent == count);
  CHECK(card.wait_for_frames(count));
  network.backend->stop();
  CHECK(card.frames().size() == count);
}

TEST_CASE("an echo whose card takes nothing keeps what its queue holds and drops the rest") {
  RecordingCard card;
  card.set_room(0);
  DeliveringNetwork network(std::make_unique<EchoPort>());
  network.start(card);
  std::size_t kept = 0;
  while (send_bytes(network, echo_request)) ++kept;
  card.set_room(SIZE_MAX);
  network.room();
  CHECK(card.wait_for_frames(kept));
  network.stop();
  CHECK(card.frames().size() == kept);
}

TEST_CASE("offloads that the card accepts reach the port, by the network's thread") {
  struct Port final : FramePort {
    [[nodiscard]] bool send(const OutgoingFrame&) noexcept override { return true; }
    [[nodiscard]] bool link_up() const noexcept override { return true; }
    [[nodiscard]] std::optional<IncomingFrame> next() noexcept override { return std::nullopt; }
    [[nodiscard]] Watch watch() noexcept override { return {}; }
    void accept_offloads(const NetworkOffloads& offloads) noexcept override {
      const std::lock_guard lock(mutex);
      accepted.push_back(offloads);
      caller = std::this_thread::get_id();
      changed.notify_all();
    }
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<NetworkOffloads> accepted;
    std::thread::id caller;
  };
  auto owned = std::make_unique<Port>();
  Port& port = *owned;
  RecordingCard card;
  DeliveringNetwork network(std::move(owned));
  network.start(card);
  const NetworkOffloads all{.checksum = true, .tso4 = true, .tso6 = true, .ecn = true, .ufo = true};
  for (const NetworkOffloads& offloads :
       {all, NetworkOffloads{.checksum = true, .tso6 = true}, NetworkOffloads{}}) {
    network.accept_offloads(offloads);
    network.accept_offloads(offloads);
    std::unique_lock lock(port.mutex);
    REQUIRE(port.changed.wait_for(lock, std::chrono::seconds(60), [&] { return !port.accepted.empty(); }));
    CHECK(port.accepted == std::vector{offloads});
    CHECK(port.caller != std::this_thread::get_id());
    port.accepted.clear();
  }
  network.stop();
}

TEST_CASE("the sink takes frames and offers none; an unknown network is an error of use") {
  const Network network = open_network("sink", std::nullopt);
  CHECK(network.backend->link_up());
  CHECK(send_bytes(*network.backend, echo_request));
  for (const char* spec : {"", "tun", "tap", "socket", "echo=1", "user", "tap="}) {
    CHECK_THROWS_AS(open_network(spec, std::nullopt), UsageError);
  }
}
