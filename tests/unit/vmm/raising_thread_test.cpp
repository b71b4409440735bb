#include "vmm/raising_thread.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <functional>
#include <thread>

namespace kvmbench {
namespace {

using namespace std::chrono_literals;

/// The guest: handles each interrupt as it is raised, or as the test says.
class Guest final : public InterruptWays {
 public:
  std::uint32_t ways() const noexcept override { return 0x1f; }
  bool prepare(const InterruptRequest&) noexcept override { return accepts; }
  void raise(const InterruptRequest&) noexcept override {
    ++raised;
    handle(*this);
  }
  void lower() noexcept override { ++lowered; }

  static std::uint64_t load(std::uint64_t& field) {
    return std::atomic_ref(field).load(std::memory_order_acquire);
  }
  void handle_last() { std::atomic_ref(page.handled).store(load(page.raised), std::memory_order_release); }

  alignas(4096) kvmbench_irq_page page{};
  std::function<void(Guest&)> handle = [](Guest& guest) { guest.handle_last(); };
  std::atomic<bool> accepts{true};
  std::atomic<unsigned> raised{0}, lowered{0};

  InterruptRequest request(std::uint32_t count) {
    return {.way = KVMBENCH_IRQ_BY_IRQFD,
            .count = count,
            .gap = 0,
            .address = 0,
            .data = 0,
            .page = std::as_writable_bytes(std::span(&page, 1))};
  }
};

bool comes_true(const std::function<bool()>& condition) {
  for (unsigned i = 0; i < 10000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

TEST_CASE("as many interrupts are raised as were asked for, each after the one before was handled") {
  Guest guest;
  std::atomic<unsigned> out_of_order{0};
  guest.handle = [&](Guest& one) {
    if (Guest::load(one.page.raised) != Guest::load(one.page.handled) + 1) ++out_of_order;
    one.handle_last();
  };
  RaisingThread thread(guest);
  thread.start({});
  REQUIRE(thread.begin(guest.request(1000)));
  REQUIRE(comes_true([&] { return !thread.busy(); }));
  CHECK(guest.raised == 1000);
  CHECK(out_of_order == 0);
  CHECK(thread.handled() == 1000);
  CHECK_FALSE(thread.gave_up());
  CHECK(guest.page.repeats == 0);
}

TEST_CASE("the page has the clocks' relation and no old figures as soon as interrupts are asked for") {
  Guest guest;
  std::memset(&guest.page, 0xff, sizeof guest.page);
  guest.handle = [](Guest&) {};
  RaisingThread thread(guest);
  thread.start({.offset = 0x123456789abcdef0, .uncertainty = 77});
  REQUIRE(thread.begin(guest.request(1)));
  CHECK(Guest::load(guest.page.tsc_offset) == 0x123456789abcdef0);
  CHECK(Guest::load(guest.page.tsc_uncertainty) == 77);
  CHECK(Guest::load(guest.page.handled) == 0);
  CHECK(Guest::load(guest.page.raised) <= 1);
  CHECK(Guest::load(guest.page.round_trip) == 0);
}

TEST_CASE("a second request is refused while one is under way, and taken after it was ended") {
  Guest guest;
  guest.handle = [](Guest&) {};
  RaisingThread thread(guest);
  thread.start({});
  REQUIRE(thread.begin(guest.request(5)));
  CHECK_FALSE(thread.begin(guest.request(5)));
  thread.end();
  REQUIRE(comes_true([&] { return !thread.busy(); }));
  CHECK(guest.raised <= 1);
  CHECK(thread.handled() == 0);
  CHECK(thread.begin(guest.request(1)));
}

TEST_CASE("a request that KVM refuses leaves the thread free for the next one") {
  Guest guest;
  guest.accepts = false;
  RaisingThread thread(guest);
  thread.start({});
  CHECK_FALSE(thread.begin(guest.request(1)));
  CHECK_FALSE(thread.busy());
  guest.accepts = true;
  CHECK(thread.begin(guest.request(1)));
}

TEST_CASE("an interrupt that is not handled is raised three times more, then given up") {
  Guest guest;
  guest.handle = [](Guest&) {};
  RaisingThread thread(guest);
  thread.start({});
  REQUIRE(thread.begin(guest.request(2)));
  REQUIRE(comes_true([&] { return !thread.busy(); }));
  CHECK(thread.gave_up());
  CHECK(guest.raised == 4);
  CHECK(Guest::load(guest.page.repeats) == 3);
  CHECK(Guest::load(guest.page.raised) == 1);
}

TEST_CASE("a guest that claims to have handled what is to come gets its interrupts all the same") {
  Guest guest;
  guest.handle = [](Guest& one) { std::atomic_ref(one.page.handled).store(~std::uint64_t{0}); };
  RaisingThread thread(guest);
  thread.start({});
  REQUIRE(thread.begin(guest.request(100)));
  REQUIRE(comes_true([&] { return !thread.busy(); }));
  CHECK(guest.raised == 100);
}

TEST_CASE("the end of the machine does not wait for a guest, nor for the gap between two interrupts") {
  Guest guest;
  InterruptRequest request = guest.request(1000);
  request.gap = KVMBENCH_IRQ_GAP_MAX;
  RaisingThread waiting(guest);
  waiting.start({});
  REQUIRE(waiting.begin(request));
  waiting.finish();
  CHECK(guest.raised == 0);
  CHECK_FALSE(waiting.begin(request));

  guest.handle = [](Guest&) {};
  RaisingThread unanswered(guest);
  unanswered.start({});
  REQUIRE(unanswered.begin(guest.request(1)));
  unanswered.finish();
  CHECK(guest.raised <= 1);
}

}  // namespace
}  // namespace kvmbench
