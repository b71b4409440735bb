#include "hostio/network/network.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "hostio/network/delivering_network.hpp"
#include "hostio/network/echo_port.hpp"
#include "hostio/network/recorded_network.hpp"
#include "hostio/network/sink_network.hpp"
#include "hostio/network/socket_port.hpp"
#include "hostio/network/tap_port.hpp"

namespace kvmbench::hostio {
namespace {

Network over(std::unique_ptr<FramePort> port) {
  std::string notice = port->notice();
  return {std::make_unique<DeliveringNetwork>(std::move(port)), std::move(notice)};
}

Network open(const std::string& spec) {
  constexpr std::string_view tap = "tap=";
  constexpr std::string_view socket = "socket=";
  if (spec == "echo") return over(std::make_unique<EchoPort>());
  if (spec == "sink") return {std::make_unique<SinkNetwork>(), {}};
  if (spec.starts_with(tap)) return over(std::make_unique<TapPort>(spec.substr(tap.size())));
  if (spec.starts_with(socket)) return over(std::make_unique<SocketPort>(spec.substr(socket.size())));
  throw UsageError(fmt::format("network '{}' is not known: give tap=NAME, socket=PATH, echo or sink", spec));
}

}  // namespace

Network open_network(const std::string& spec, const std::optional<std::string>& pcap) {
  Network network = open(spec);
  if (pcap) network.backend = std::make_unique<RecordedNetwork>(std::move(network.backend), *pcap);
  return network;
}

}  // namespace kvmbench::hostio
