#include "cli/networks.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "cli/device_options.hpp"
#include "cli/standard_streams.hpp"
#include "devices/virtio/net_device.hpp"
#include "hostio/network/network.hpp"

namespace kvmbench::cli {
namespace {

/// Two hexadecimal digits at the beginning of `text`.
std::optional<std::uint8_t> parse_byte(std::string_view text) {
  std::uint8_t value = 0;
  const std::string_view digits = text.substr(0, 2);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc{} || end != digits.data() + 2) return std::nullopt;
  return value;
}

std::optional<MacAddress> parse_address(std::string_view text) {
  if (text.size() != 3 * MacAddress::size - 1) return std::nullopt;
  MacAddress address;
  for (std::size_t i = 0; i < MacAddress::size; ++i) {
    const auto byte = parse_byte(text.substr(3 * i));
    if (!byte || (i != 0 && text[3 * i - 1] != ':')) return std::nullopt;
    address.bytes[i] = *byte;
  }
  return address;
}

/// As hostio::open_network() takes it: tap=NAME, socket=PATH, echo or sink.
std::string take_backend(DeviceOptions& options) {
  std::vector<std::string> given;
  if (!options.value().empty()) given.push_back(options.value());
  for (const char* kind : {"tap", "socket"}) {
    if (const auto where = options.text(kind)) given.push_back(fmt::format("{}={}", kind, *where));
  }
  if (given.size() == 1) return given.front();
  options.refuse("name one network: tap=NAME, socket=PATH, echo or sink");
}

}  // namespace

MacAddress parse_mac_address(const std::string& option, const std::string& text) {
  const auto address = parse_address(text);
  if (!address || *address == MacAddress{} || address->multicast()) {
    throw UsageError(
        fmt::format("{}: '{}' is not the address of a network card: give six bytes such as "
                    "02:6b:76:6d:62:00, of which the first is even",
                    option, text));
  }
  return *address;
}

Networks::Networks(const std::vector<std::string>& specs, std::optional<DeviceModel> model) {
  for (const std::string& spec : specs) add(spec, model.value_or(DeviceModel::paravirtual));
}

void Networks::add(const std::string& spec, DeviceModel model) {
  constexpr std::size_t most = 16;
  static constexpr std::array<std::string_view, 2> models = {"virtio", "e1000"};
  DeviceOptions options("--net", spec);
  if (links_.size() == most) options.refuse(fmt::format("a machine has at most {} network cards", most));
  const std::size_t number = links_.size();
  Link link;
  const std::string backend = take_backend(options);
  const bool emulated = options.choice("model", models).value_or(model == DeviceModel::emulated ? 1 : 0) == 1;
  link.name = fmt::format("{}{}", emulated ? "e1000." : "virtio-net", number);
  const auto address = options.text("mac");
  link.address = address ? parse_mac_address("--net " + spec, *address)
                         : default_mac_address(static_cast<std::uint8_t>(number));
  const auto pcap = options.text("pcap");
  if (!emulated) link.connection = take_virtio_options(options);
  options.finish();
  if (emulated) link.alarm = std::make_unique<hostio::AlarmThread>(link.name);

  hostio::Network network = hostio::open_network(backend, pcap);
  if (!network.notice.empty()) tell(fmt::format("{}: {}", link.name, network.notice));
  link.backend = std::move(network.backend);
  links_.push_back(std::move(link));
}

std::vector<VirtioAttachment> Networks::virtio() {
  std::vector<VirtioAttachment> attachments;
  for (Link& link : links_) {
    if (link.alarm) continue;
    const auto make = [&link](const GuestMemory& memory) {
      auto device = std::make_unique<virtio::NetDevice>(link.name, memory, *link.backend, link.address);
      link.card = device.get();
      return device;
    };
    attachments.push_back({.make = make, .options = link.connection});
  }
  return attachments;
}

std::vector<PciNetworkCard> Networks::pci() {
  std::vector<PciNetworkCard> cards;
  for (Link& link : links_) {
    if (!link.alarm) continue;
    cards.push_back({[this, &link](GuestMemory& memory) {
      auto card =
          std::make_unique<e1000::Card>(link.name, link.address, memory, *link.backend, *link.alarm, clock_);
      link.card = card.get();
      link.alarmed = card.get();
      return card;
    }});
  }
  return cards;
}

void Networks::stop() noexcept {
  for (Link& link : links_) {
    link.backend->stop();
    if (link.alarm) link.alarm->stop();
  }
}

Networks::Traffic::Traffic(Networks& networks) : networks_(networks) {
  try {
    for (Link& link : networks.links_) {
      if (link.alarm) link.alarm->start(*link.alarmed);
      link.backend->start(*link.card);
    }
  } catch (...) {
    networks.stop();
    throw;
  }
}

Networks::Traffic::~Traffic() {
  networks_.stop();
}

}  // namespace kvmbench::cli
