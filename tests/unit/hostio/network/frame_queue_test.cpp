#include "hostio/network/frame_queue.hpp"

#include <poll.h>

#include <catch2/catch.hpp>
#include <deque>
#include <random>
#include <thread>

#include "frames.hpp"
#include "hostio/network/wake_event.hpp"

using namespace kvmbench;
using namespace kvmbench::hostio;

namespace {

FrameQueue::Push push(FrameQueue& queue, std::span<const std::byte> bytes) {
  return queue.push({.header = {}, .pieces = std::span(&bytes, 1)});
}

}  // namespace

TEST_CASE("frames come out of the queue as they went in") {
  FrameQueue queue;
  CHECK(queue.front().empty());
  CHECK(push(queue, hex("01")) == FrameQueue::Push::queued_first);
  CHECK(push(queue, hex("0203")) == FrameQueue::Push::queued);
  CHECK(copy(queue.front()) == hex("01"));
  queue.pop();
  CHECK(copy(queue.front()) == hex("0203"));
  queue.pop();
  CHECK(push(queue, hex("04")) == FrameQueue::Push::queued);  // nobody has seen it empty
  CHECK(copy(queue.front()) == hex("04"));
  queue.pop();
  CHECK(queue.front().empty());
  CHECK(push(queue, hex("05")) == FrameQueue::Push::queued_first);
}

TEST_CASE("a full queue drops what comes, and keeps what it has") {
  FrameQueue queue;
  std::size_t queued = 0;
  while (push(queue, Bytes(max_frame_size, static_cast<std::byte>(queued))) != FrameQueue::Push::dropped) {
    ++queued;
  }
  CHECK(queued == FrameQueue::capacity / (8 + (max_frame_size + 7) / 8 * 8));
  for (std::size_t i = 0; i < queued; ++i) {
    CHECK(copy(queue.front()) == Bytes(max_frame_size, static_cast<std::byte>(i)));
    queue.pop();
  }
  CHECK(queue.front().empty());
}

TEST_CASE("frames of any size pass any place of the ring unchanged") {
  FrameQueue queue;
  std::deque<std::pair<std::size_t, std::byte>> expected;
  std::minstd_rand random(1);
  std::size_t dropped = 0;
  for (int i = 0; i < 20000; ++i) {
    // Long ones for the first half, so that the queue runs full; of all sizes, and down to empty, later.
    if (random() % 3 != 0 || (i < 10000 && random() % 2 == 0)) {
      const std::size_t size = 1 + random() % (random() % 2 == 0 ? 100 : max_frame_size);
      const auto filler = static_cast<std::byte>(random());
      if (push(queue, Bytes(size, filler)) == FrameQueue::Push::dropped) {
        ++dropped;
      } else {
        expected.emplace_back(size, filler);
      }
    } else if (!expected.empty()) {
      const auto frame = queue.front();
      REQUIRE(frame.size() == expected.front().first);
      REQUIRE(frame.front() == expected.front().second);
      REQUIRE(frame.back() == expected.front().second);
      queue.pop();
      expected.pop_front();
    }
  }
  CHECK(dropped > 100);
}

TEST_CASE("what several threads push comes out whole, and the consumer is woken") {
  constexpr int each = 5000;
  FrameQueue queue;
  WakeEvent wake;
  const auto producer = [&](std::byte name) {
    for (int i = 0; i < each;) {
      const auto result = push(queue, Bytes(1 + static_cast<std::size_t>(i % 1500), name));
      if (result == FrameQueue::Push::queued_first) wake.ring();
      if (result != FrameQueue::Push::dropped) ++i;
    }
  };
  std::thread first(producer, std::byte{1}), second(producer, std::byte{2});
  int seen = 0;
  bool whole = true;
  while (seen < 2 * each) {
    const auto frame = queue.front();
    if (frame.empty()) {
      pollfd query{.fd = wake.fd(), .events = POLLIN, .revents = 0};
      REQUIRE(::poll(&query, 1, 60'000) == 1);
      wake.answer();
      continue;
    }
    for (const std::byte byte : frame) whole = whole && byte == frame.front();
    queue.pop();
    ++seen;
  }
  first.join();
  second.join();
  CHECK(whole);
  CHECK(queue.front().empty());
}
