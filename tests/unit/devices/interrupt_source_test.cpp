#include "devices/interrupt_source.hpp"

#include <catch2/catch.hpp>
#include <vector>

namespace kvmbench {
namespace {

constexpr std::uint64_t mib = 1024 * 1024;
constexpr std::uint32_t all_ways = 0x1f;

class NotedRaiser final : public InterruptRaiser {
 public:
  std::uint32_t offered = all_ways;
  bool is_busy = false;
  bool refuses = false;
  bool has_given_up = false;
  std::uint64_t done = 0;
  std::vector<InterruptRequest> begun;
  unsigned ends = 0, deasserts = 0;

  std::uint32_t ways() const noexcept override { return offered; }
  bool begin(const InterruptRequest& request) noexcept override {
    if (is_busy || refuses) return false;
    begun.push_back(request);
    return true;
  }
  void end() noexcept override { ++ends; }
  void deassert() noexcept override { ++deasserts; }
  bool busy() const noexcept override { return is_busy; }
  bool gave_up() const noexcept override { return has_given_up; }
  std::uint64_t handled() const noexcept override { return done; }
};

struct Fixture {
  GuestMemory memory{mib};
  NotedRaiser raiser;
  InterruptSource source{memory, raiser};

  std::uint32_t read(std::uint64_t offset) { return static_cast<std::uint32_t>(source.read(offset, 4)); }
  void write(std::uint64_t offset, std::uint32_t value) { source.write(offset, 4, value); }
  bool refused() { return (read(0x20) & 2) != 0; }
};

TEST_CASE("the interrupt source says what it is and which ways it has") {
  Fixture of;
  of.raiser.offered = 0x1d;
  CHECK(of.read(0x00) == 0x7172696b);
  CHECK(of.read(0x04) == 0x1d);
}

TEST_CASE("RAISE hands on what the registers say, and the page") {
  Fixture of;
  of.write(0x08, 0x3000);
  of.write(0x0c, 0xfee01000);
  of.write(0x10, 0x42);
  of.write(0x14, 250);
  of.write(0x18, KVMBENCH_IRQ_BY_MESSAGE);
  of.write(0x1c, 7);
  CHECK_FALSE(of.refused());
  REQUIRE(of.raiser.begun.size() == 1);
  const InterruptRequest& request = of.raiser.begun[0];
  CHECK(request.way == 3);
  CHECK(request.count == 7);
  CHECK(request.gap == 250);
  CHECK(request.address == 0xfee01000);
  CHECK(request.data == 0x42);
  CHECK(request.page.data() == of.memory.range(Gpa{0x3000}, 4096).data());
  CHECK(request.page.size() == 4096);
}

TEST_CASE("what was written to a register is read back") {
  Fixture of;
  of.write(0x08, 0x3000);
  of.write(0x0c, 0xfee01000);
  of.write(0x10, 0x42);
  of.write(0x14, 250);
  of.write(0x18, 2);
  CHECK(of.read(0x08) == 0x3000);
  CHECK(of.read(0x0c) == 0xfee01000);
  CHECK(of.read(0x10) == 0x42);
  CHECK(of.read(0x14) == 250);
  CHECK(of.read(0x18) == 2);
}

TEST_CASE("a page that is misaligned or not in RAM is refused, and the one before stays") {
  Fixture of;
  of.write(0x08, 0x3000);
  for (const std::uint32_t address : {0x3001u, 0x3800u, 0x100000u, 0xfffff000u}) {
    of.write(0x08, address);
    CHECK(of.refused());
    CHECK(of.read(0x08) == 0x3000);
  }
  of.write(0x08, 0xff000);  // the last page
  CHECK_FALSE(of.refused());
}

TEST_CASE("a page is not changed while interrupts are to come") {
  Fixture of;
  of.write(0x08, 0x3000);
  of.raiser.is_busy = true;
  of.write(0x08, 0x4000);
  CHECK(of.refused());
  CHECK(of.read(0x08) == 0x3000);
}

TEST_CASE("RAISE is refused without a page") {
  Fixture of;
  of.write(0x18, KVMBENCH_IRQ_BY_IRQFD);
  of.write(0x1c, 1);
  CHECK(of.refused());
  CHECK(of.raiser.begun.empty());
}

TEST_CASE("RAISE is refused for a way that is not there") {
  Fixture of;
  of.raiser.offered = 0x1d;
  of.write(0x08, 0x3000);
  for (const std::uint32_t way : {1u, 5u, 31u, 32u, 33u, 0xffffffffu}) {
    of.write(0x18, way);
    of.write(0x1c, 1);
    CHECK(of.refused());
  }
  CHECK(of.raiser.begun.empty());
}

TEST_CASE("RAISE is refused where the host's side refuses, and the next one may be taken") {
  Fixture of;
  of.write(0x08, 0x3000);
  of.raiser.refuses = true;
  of.write(0x1c, 1);
  CHECK(of.refused());
  of.raiser.refuses = false;
  of.write(0x1c, 1);
  CHECK_FALSE(of.refused());
}

TEST_CASE("RAISE of 0 ends what is under way") {
  Fixture of;
  of.write(0x1c, 0);
  CHECK(of.raiser.ends == 1);
  CHECK_FALSE(of.refused());
}

TEST_CASE("DEASSERT lowers the line, whatever is written") {
  Fixture of;
  of.write(0x24, 0);
  of.write(0x24, ~0u);
  CHECK(of.raiser.deasserts == 2);
}

TEST_CASE("STATUS shows what the host's side is at") {
  Fixture of;
  CHECK(of.read(0x20) == 0);
  of.raiser.is_busy = true;
  CHECK(of.read(0x20) == 1);
  of.raiser.is_busy = false;
  of.raiser.has_given_up = true;
  CHECK(of.read(0x20) == 4);
}

TEST_CASE("a gap of more than a second counts as a second") {
  Fixture of;
  of.write(0x14, 0xffffffff);
  CHECK(of.read(0x14) == 1000000);
}

TEST_CASE("accesses that are not of 4 bytes at a register read as all ones and write nothing") {
  Fixture of;
  of.write(0x08, 0x3000);
  CHECK(of.source.read(0x00, 1) == 0xff);
  CHECK(of.source.read(0x00, 2) == 0xffff);
  CHECK(of.source.read(0x01, 4) == 0xffffffff);
  CHECK(of.source.read(0x1c, 4) == 0xffffffff);
  CHECK(of.source.read(0x28, 4) == 0xffffffff);
  of.source.write(0x1c, 1, 1);
  of.source.write(0x1c, 2, 1);
  of.source.write(0x1d, 4, 1);
  of.source.write(0x28, 4, 1);
  CHECK(of.raiser.begun.empty());
}

TEST_CASE("the interrupt source counts the interrupts that were handled") {
  Fixture of;
  of.raiser.done = 12;
  CHECK(of.source.operations() == std::vector<Operation>{{"interrupts", 12}});
}

TEST_CASE("the interrupt source's registers have names") {
  Fixture of;
  CHECK(of.source.name() == "interrupt-source");
  CHECK(of.source.register_name(0x1c, Direction::write) == "RAISE");
  CHECK(of.source.register_name(0x24, Direction::write) == "DEASSERT");
  CHECK(of.source.register_name(0x28, Direction::read) == "+0x28");
}

}  // namespace
}  // namespace kvmbench
