#include "hostio/network/tap_port.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/error.hpp"
#include "hostio/network/frame_vector.hpp"

namespace kvmbench::hostio {
namespace {

constexpr const char* clone_device = "/dev/net/tun";

ifreq request_for(const std::string& name) {
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), name.size());
  return request;
}

unsigned tun_flags(const NetworkOffloads& offloads) noexcept {
  unsigned flags = 0;
  if (offloads.checksum) flags |= TUN_F_CSUM;
  if (offloads.tso4) flags |= TUN_F_TSO4;
  if (offloads.tso6) flags |= TUN_F_TSO6;
  if (offloads.ecn) flags |= TUN_F_TSO_ECN;
  if (offloads.ufo) flags |= TUN_F_UFO;
  return flags;
}

bool set_offloads(int fd, const NetworkOffloads& offloads) noexcept {
  return ::ioctl(fd, TUNSETOFFLOAD, static_cast<unsigned long>(tun_flags(offloads))) == 0;
}

UniqueFd open_clone_device() {
  UniqueFd fd(::open(clone_device, O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (fd) return fd;
  if (errno == ENOENT || errno == ENODEV || errno == ENXIO) {
    throw HostError(
        fmt::format("{}: {}: this kernel has no tap devices: load the module tun, or use "
                    "--net socket=PATH with passt",
                    clone_device, std::strerror(errno)));
  }
  throw HostError::from_errno(clone_device);
}

void check_name(const std::string& name) {
  if (name.empty()) throw UsageError("the tap device has no name: give --net tap=NAME");
  if (name.size() >= IFNAMSIZ) {
    throw UsageError(
        fmt::format("tap device '{}': a network interface's name has at most {} bytes", name, IFNAMSIZ - 1));
  }
  // TUNSETIFF would make one, that is down, has no address and vanishes in the end.
  if (::if_nametoindex(name.c_str()) != 0) return;
  throw UsageError(
      fmt::format("there is no network interface '{0}': make it with 'ip tuntap add dev {0} mode tap user "
                  "$USER' and 'ip link set {0} up'",
                  name));
}

}  // namespace

TapPort::TapPort(const std::string& name) : name_(name) {
  check_name(name);
  fd_ = open_clone_device();
  attach();
  set_up_header();
  read_properties();
}

void TapPort::attach() {
  ifreq request = request_for(name_);
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  if (::ioctl(fd_.get(), TUNSETIFF, &request) == 0) return;
  switch (errno) {
    case EPERM:
      throw HostError(fmt::format(
          "tap device '{0}': this user may not use it: it takes CAP_NET_ADMIN, or a device made with "
          "'ip tuntap add dev {0} mode tap user $USER'",
          name_));
    case EBUSY:
      throw UsageError(fmt::format("tap device '{}': another program uses it", name_));
    case EINVAL:
      throw UsageError(fmt::format(
          "network interface '{}' is not a tap device with one queue: give one made with 'ip tuntap add ... "
          "mode tap'",
          name_));
    default:
      throw HostError::from_errno(fmt::format("tap device '{}'", name_));
  }
}

void TapPort::set_up_header() {
  int size = sizeof(FrameHeader);
  int little_endian = 1;
  if (::ioctl(fd_.get(), TUNSETVNETHDRSZ, &size) != 0 ||
      ::ioctl(fd_.get(), TUNSETVNETLE, &little_endian) != 0) {
    throw HostError::from_errno(fmt::format("tap device '{}': setting the header's form", name_));
  }
}

void TapPort::read_properties() {
  // What the kernel would take is what it can do for the card too; UFO is the one that kernels may lack.
  offloads_ = {.checksum = true, .tso4 = true, .tso6 = true, .ecn = true, .ufo = true};
  offloads_.ufo = set_offloads(fd_.get(), offloads_);
  if (!set_offloads(fd_.get(), offloads_)) offloads_ = {};
  if (!set_offloads(fd_.get(), {})) {
    throw HostError::from_errno(fmt::format("tap device '{}': TUNSETOFFLOAD", name_));
  }

  const UniqueFd any_socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!any_socket) throw HostError::from_errno("socket");
  ifreq request = request_for(name_);
  if (::ioctl(any_socket.get(), SIOCGIFMTU, &request) == 0 && request.ifr_mtu > 0 &&
      request.ifr_mtu <= 65535) {
    mtu_ = static_cast<std::uint16_t>(request.ifr_mtu);
  }
  if (::ioctl(any_socket.get(), SIOCGIFFLAGS, &request) == 0) {
    interface_up_ = (request.ifr_flags & IFF_UP) != 0;
  }
}

bool TapPort::send(const OutgoingFrame& frame) noexcept {
  FrameVector vector(std::as_bytes(std::span(&frame.header, 1)), frame);
  const auto pieces = vector.pieces();
  return ::writev(fd_.get(), pieces.data(), static_cast<int>(pieces.size())) >= 0;
}

std::optional<IncomingFrame> TapPort::next() noexcept {
  for (;;) {
    IncomingFrame frame;
    const iovec pieces[] = {{&frame.header, sizeof frame.header}, {frame_.data(), frame_.size()}};
    const ssize_t size = ::readv(fd_.get(), pieces, 2);
    if (size > static_cast<ssize_t>(sizeof frame.header)) {
      frame.bytes = std::span(frame_).first(static_cast<std::size_t>(size) - sizeof frame.header);
      return frame;
    }
    if (size >= 0 || errno == EINTR) continue;
    if (errno != EAGAIN && link_up()) {
      present_.store(false, std::memory_order_relaxed);
      std::fputs(fmt::format("kvmbench: tap device '{}': {}: the link is down\n", name_, std::strerror(errno))
                     .c_str(),
                 stderr);
    }
    return std::nullopt;
  }
}

void TapPort::accept_offloads(const NetworkOffloads& offloads) noexcept {
  if (set_offloads(fd_.get(), offloads)) return;
  std::fputs(
      fmt::format("kvmbench: tap device '{}': TUNSETOFFLOAD: {}\n", name_, std::strerror(errno)).c_str(),
      stderr);
}

std::string TapPort::notice() const {
  if (interface_up_) return {};
  return fmt::format("tap device '{0}' is down: 'ip link set {0} up' lets frames pass", name_);
}

}  // namespace kvmbench::hostio
