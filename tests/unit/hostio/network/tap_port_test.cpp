#include "hostio/network/tap_port.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "base/error.hpp"
#include "frames.hpp"
#include "hostio/network/network.hpp"

using namespace kvmbench;
using namespace kvmbench::hostio;

namespace {

/// Of a type that no protocol of the host's has, so that only these tests send and receive it.
constexpr std::uint16_t test_type = 0x88b5;  // IEEE 802: for local experiments

/// A persistent tap device that is up, and the host's side of it.
class Tap final {
 public:
  explicit Tap(const std::string& name = "tap7", int mtu = 1500) : name_(name) {
    const UniqueFd fd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    ifreq request = named();
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    REQUIRE(::ioctl(fd.get(), TUNSETIFF, &request) == 0);
    REQUIRE(::ioctl(fd.get(), TUNSETPERSIST, 1) == 0);
    request = named();
    request.ifr_mtu = mtu;
    REQUIRE(::ioctl(socket_.get(), SIOCSIFMTU, &request) == 0);
    set_up(true);
    host_ = UniqueFd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(test_type)));
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(test_type);
    address.sll_ifindex = static_cast<int>(::if_nametoindex(name.c_str()));
    REQUIRE(::bind(host_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  Tap(const Tap&) = delete;
  Tap& operator=(const Tap&) = delete;
  ~Tap() { remove(); }

  /// The interface goes away, whoever has it open.
  void remove() const {
    struct {
      nlmsghdr header{};
      ifinfomsg body{};
    } request;
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = RTM_DELLINK;
    request.header.nlmsg_flags = NLM_F_REQUEST;
    request.body.ifi_index = static_cast<int>(::if_nametoindex(name_.c_str()));
    const UniqueFd netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (request.body.ifi_index != 0) static_cast<void>(::send(netlink.get(), &request, sizeof request, 0));
  }
  void set_up(bool up) {
    ifreq request = named();
    REQUIRE(::ioctl(socket_.get(), SIOCGIFFLAGS, &request) == 0);
    request.ifr_flags = static_cast<short>(up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP);
    REQUIRE(::ioctl(socket_.get(), SIOCSIFFLAGS, &request) == 0);
  }
  /// Whether the host may leave frames of the kind unsegmented (`command`: ETHTOOL_G*).
  [[nodiscard]] bool offloads(std::uint32_t command) {
    ethtool_value value{.cmd = command, .data = 0};
    ifreq request = named();
    request.ifr_data = reinterpret_cast<char*>(&value);
    REQUIRE(::ioctl(socket_.get(), SIOCETHTOOL, &request) == 0);
    return value.data != 0;
  }
  /// The host sends a frame by the device.
  void send(const Bytes& frame) {
    REQUIRE(::write(host_.get(), frame.data(), frame.size()) == static_cast<ssize_t>(frame.size()));
  }
  /// The next frame that the host has received by it.
  [[nodiscard]] Bytes received() {
    Bytes bytes(max_frame_size);
    pollfd query{.fd = host_.get(), .events = POLLIN, .revents = 0};
    REQUIRE(::poll(&query, 1, 60'000) == 1);
    const ssize_t size = ::recv(host_.get(), bytes.data(), bytes.size(), 0);
    REQUIRE(size >= 0);
    bytes.resize(static_cast<std::size_t>(size));
    return bytes;
  }

 private:
  [[nodiscard]] ifreq named() const {
    ifreq request{};
    std::memcpy(request.ifr_name, name_.data(), name_.size());
    return request;
  }
  std::string name_;
  UniqueFd socket_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  UniqueFd host_;
};

Bytes test_frame(std::size_t size) {
  Bytes frame = numbered(size);
  const Bytes header = hex("ffff ffff ffff 0200 0000 0001 88b5");
  std::copy(header.begin(), header.end(), frame.begin());
  return frame;
}

/// The next frame of the test's own: the host's kernel sends some by itself (IPv6).
Bytes next_of(TapPort& port) {
  for (;;) {
    pollfd query{.fd = port.watch().fd, .events = POLLIN, .revents = 0};
    REQUIRE(::poll(&query, 1, 60'000) == 1);
    const auto frame = port.next();
    if (frame && frame->bytes.size() >= 14 && frame->bytes[12] == std::byte{0x88} &&
        frame->bytes[13] == std::byte{0xb5}) {
      CHECK(frame->header.flags == 0);
      CHECK(frame->header.gso_type == VIRTIO_NET_HDR_GSO_NONE);
      return copy(frame->bytes);
    }
  }
}

/// Until the device passes what the host sends: its queue drops all until the kernel's own thread has seen
/// that the carrier is there, which takes up to a second where other devices have just come or gone.
void await_link(Tap& tap, TapPort& port) {
  const auto readable = [&port](int milliseconds) {
    pollfd query{.fd = port.watch().fd, .events = POLLIN, .revents = 0};
    return ::poll(&query, 1, milliseconds) == 1;
  };
  bool passed = false;
  for (int turn = 0; turn < 600 && !passed; ++turn) {
    tap.send(test_frame(60));
    while (!passed && readable(100)) {
      const auto frame = port.next();
      passed = frame && copy(frame->bytes) == test_frame(60);
    }
  }
  REQUIRE(passed);
  while (readable(100)) static_cast<void>(port.next());
}

}  // namespace

TEST_CASE("frames pass a tap device unchanged, in both directions") {
  Tap tap;
  TapPort port("tap7");
  CHECK(port.link_up());
  CHECK(port.mtu() == 1500);
  CHECK(port.notice().empty());
  await_link(tap, port);
  for (const std::size_t size : {60u, 61u, 1514u}) {
    CHECK(send_bytes(port, test_frame(size)));
    CHECK(tap.received() == test_frame(size));
    tap.send(test_frame(size));
    CHECK(next_of(port) == test_frame(size));
  }
  CHECK_FALSE(port.next().has_value());
}

TEST_CASE("a tap device's own MTU is told") {
  const Tap tap("tap8", 9000);
  CHECK(TapPort("tap8").mtu() == 9000);
}

TEST_CASE("a frame that asks for a checksum gets it from the host, one that asks amiss is refused") {
  Tap tap;
  TapPort port("tap7");
  REQUIRE(port.offloads().checksum);
  FrameHeader header{};
  header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
  header.csum_start = 34;
  header.csum_offset = 6;
  CHECK(send_bytes(port, test_frame(100), header));
  CHECK(tap.received().size() == 100);
  header.csum_start = 100;
  CHECK_FALSE(send_bytes(port, test_frame(100), header));
  header.csum_start = 0xffff;
  header.csum_offset = 0xffff;
  CHECK_FALSE(send_bytes(port, test_frame(100), header));
  CHECK_FALSE(send_bytes(port, hex("0102")));
}

TEST_CASE("a frame that asks for segmentation reaches the host in one piece") {
  Tap tap;
  TapPort port("tap7");
  REQUIRE(port.offloads().tso4);
  // IPv4 and TCP headers, with 4000 bytes behind them, and the local type so that only the test sees it.
  Bytes frame = test_frame(14 + 20 + 20 + 4000);
  const Bytes headers = hex(
      "0800 4500 0fc8 0000 4000 4006 0000 0a00 0002 0a00 0001 0001 0002 0000 0000 0000 0000 5010 ffff 0000");
  std::copy(headers.begin(), headers.end(), frame.begin() + 12);
  const FrameHeader header{.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                           .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
                           .hdr_len = 54,
                           .gso_size = 1448,
                           .csum_start = 34,
                           .csum_offset = 16,
                           .num_buffers = 0};
  const UniqueFd host(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETHERTYPE_IP)));
  CHECK(send_bytes(port, frame, header));
  Bytes bytes(max_frame_size);
  pollfd query{.fd = host.get(), .events = POLLIN, .revents = 0};
  REQUIRE(::poll(&query, 1, 60'000) == 1);
  CHECK(::recv(host.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(frame.size()));
  FrameHeader wrong = header;
  wrong.gso_size = 0;
  CHECK_FALSE(send_bytes(port, frame, wrong));
}

TEST_CASE("the host leaves undone what the card accepts") {
  Tap tap;
  TapPort port("tap7");
  CHECK_FALSE(tap.offloads(ETHTOOL_GTXCSUM));
  port.accept_offloads({.checksum = true, .tso4 = true});
  CHECK(tap.offloads(ETHTOOL_GTXCSUM));
  CHECK(tap.offloads(ETHTOOL_GTSO));
  port.accept_offloads({});
  CHECK_FALSE(tap.offloads(ETHTOOL_GTXCSUM));
  CHECK_FALSE(tap.offloads(ETHTOOL_GTSO));
}

TEST_CASE("frames of the host reach the card by the network's thread") {
  Tap tap;
  const Network network = open_network("tap=tap7", std::nullopt);
  RecordingCard card;
  network.backend->start(card);
  tap.send(test_frame(1000));
  for (std::size_t count = 1;; ++count) {
    REQUIRE(card.wait_for_frames(count));
    if (card.frames().back() == test_frame(1000)) break;
  }
  CHECK(send_bytes(*network.backend, test_frame(500)));
  CHECK(tap.received() == test_frame(500));
  network.backend->stop();
}

TEST_CASE("a device that is down takes no frames, and the user is told") {
  Tap tap;
  tap.set_up(false);
  TapPort port("tap7");
  CHECK_THAT(port.notice(), Catch::Contains("ip link set tap7 up"));
  CHECK_FALSE(send_bytes(port, test_frame(60)));
  tap.set_up(true);
  CHECK(send_bytes(port, test_frame(60)));
}

TEST_CASE("a device that is removed takes the link down, and the card is told") {
  const Tap tap;
  const Network network = open_network("tap=tap7", std::nullopt);
  RecordingCard card;
  network.backend->start(card);
  CHECK(network.backend->link_up());
  tap.remove();
  CHECK(card.wait_for_link_change());
  CHECK_FALSE(network.backend->link_up());
  CHECK_FALSE(send_bytes(*network.backend, test_frame(60)));
  network.backend->stop();
}

TEST_CASE("an interface that is missing, in use, or no tap is an error of use") {
  const Tap tap;
  const TapPort port("tap7");
  CHECK_THROWS_WITH(TapPort("tap7"), Catch::Contains("another program uses it"));
  CHECK_THROWS_AS(TapPort("tap7"), UsageError);
  CHECK_THROWS_WITH(TapPort("tap9"), Catch::Contains("ip tuntap add dev tap9"));
  CHECK(::if_nametoindex("tap9") == 0);
  CHECK_THROWS_WITH(TapPort("lo"), Catch::Contains("not a tap device"));
  CHECK_THROWS_WITH(TapPort("a-name-too-long-"), Catch::Contains("15 bytes"));
  CHECK_THROWS_AS(TapPort(""), UsageError);
}
