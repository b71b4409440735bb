#include "cli/networks.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "memory/guest_memory.hpp"

using namespace kvmbench;
using namespace kvmbench::cli;

namespace {

MacAddress parse(const std::string& text) {
  return parse_mac_address("--net", text);
}

}  // namespace

TEST_CASE("a network card's address is six bytes in hexadecimal digits") {
  CHECK(parse("02:6b:76:6d:62:00") == MacAddress{{0x02, 0x6b, 0x76, 0x6d, 0x62, 0x00}});
  CHECK(parse("FE:dc:BA:98:76:54") == MacAddress{{0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54}});
}

TEST_CASE("what is no address of one station is refused, and named") {
  for (const char* text :
       {"", "02", "02:6b:76:6d:62", "02:6b:76:6d:62:0", "02:6b:76:6d:62:00:", "026b766d6200",
        "02-6b-76-6d-62-00", "02:6b:76:6d:62:0g", "02:6b:76:6d:62: 0", "02:6b:76:6d:62:-1",
        "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"}) {
    CHECK_THROWS_WITH(parse(text),
                      Catch::Contains("--net") && Catch::Contains("'" + std::string(text) + "'"));
  }
}

TEST_CASE("each card has its own name and address, in the order of the options") {
  Networks networks({"echo", "sink,mac=02:00:00:00:00:07"});
  GuestMemory memory(1 << 20);
  const auto attachments = networks.virtio();
  REQUIRE(attachments.size() == 2);
  const auto first = attachments[0].make(memory), second = attachments[1].make(memory);
  CHECK(first->name() == "virtio-net0");
  CHECK(second->name() == "virtio-net1");
  std::array<std::byte, MacAddress::size> bytes;
  first->read_config(0, bytes);
  CHECK(destination_of(bytes) == default_mac_address(0));
  second->read_config(0, bytes);
  CHECK(destination_of(bytes) == MacAddress{{2, 0, 0, 0, 0, 7}});
  const Networks::Traffic traffic(networks);
}

TEST_CASE("a card on PCI is an 82540EM with the address that the option gives it") {
  Networks networks({"echo", "sink,model=e1000,mac=02:00:00:00:00:07", "sink,model=virtio"});
  GuestMemory memory(1 << 20);
  const auto virtio = networks.virtio();
  const auto pci = networks.pci();
  REQUIRE(virtio.size() == 2);
  REQUIRE(pci.size() == 1);
  const auto card = pci[0].make(memory);
  CHECK(card->name() == "e1000.1");
  CHECK(card->pci().read_config(0) == 0x100e8086);
  CHECK(card->read(0x5400, 4) == 0x00000002);
  CHECK(card->read(0x5404, 4) == 0x80000700);
  const auto first = virtio[0].make(memory), second = virtio[1].make(memory);
  CHECK(second->name() == "virtio-net2");
  const Networks::Traffic traffic(networks);
}

TEST_CASE("options of virtio devices are none of a card on PCI") {
  CHECK_THROWS_AS(Networks({"echo,model=e1000,ring=packed"}), UsageError);
}

TEST_CASE("a network that is not named, or twice, or not known is an error of use") {
  for (const char* spec : {"", "model=virtio", "echo,tap=tap0", "tap=tap0,socket=/tmp/s", "user",
                           "tap=", "echo,model=ne2000", "echo,speed=10", "echo,mac=1"}) {
    CHECK_THROWS_AS(Networks({spec}), UsageError);
  }
}
