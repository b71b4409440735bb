/// Whatever a guest sends to the echo network does no harm: an answer is no longer than its frame,
/// well-formed, and a datagram's answer is answered by the datagram.
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "devices/network_backend.hpp"
#include "hostio/network/echo_port.hpp"
#include "hostio/network/echo_reply.hpp"
#include "input.hpp"

namespace {

using namespace kvmbench;
using namespace kvmbench::hostio;
using fuzz::require;

constexpr std::size_t ethernet_type = 12, protocol = 23;
constexpr std::byte udp{17};

void check_answer(std::vector<std::byte> frame, std::span<const std::byte> expected) {
  const std::size_t size = make_echo_reply(frame);
  require(size == expected.size());
  require(std::equal(expected.begin(), expected.end(), frame.begin()));
  if (frame[ethernet_type] != std::byte{8} || frame[ethernet_type + 1] != std::byte{0}) return;
  if (frame[protocol] != udp) return;
  const std::vector<std::byte> answer(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
  std::vector<std::byte> back = answer;
  require(make_echo_reply(back) == size);
  require(make_echo_reply(back) == size && back == answer);
}

}  // namespace

/// The input: frames, each behind its length in two bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input({data, size});
  static EchoPort port;  // for its megabyte; each step leaves it empty
  while (!input.empty()) {
    const auto length = input.take<std::uint16_t>();
    const auto bytes = input.take_bytes(length);
    if (bytes.empty()) continue;
    // In two pieces, as a guest may have it.
    const auto frame = std::as_bytes(bytes);
    const std::array pieces = {frame.first(frame.size() / 2), frame.subspan(frame.size() / 2)};
    require(port.send({.header = {}, .pieces = pieces}));
    const auto answer = port.next();
    if (!answer) continue;
    require(answer->bytes.size() <= frame.size() && answer->header.gso_type == 0);
    check_answer({frame.begin(), frame.end()}, answer->bytes);
    require(!port.next());
  }
  return 0;
}
