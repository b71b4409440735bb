#include "hostio/output_queue.hpp"

#include <atomic>
#include <thread>

#include "support.hpp"

using namespace kvmbench::hostio;

namespace {

std::string take_all(OutputQueue& queue) {
  std::string text;
  for (auto bytes = queue.front(); !bytes.empty(); bytes = queue.front()) {
    text.append(bytes.begin(), bytes.end());
    queue.take(bytes.size());
  }
  return text;
}

}  // namespace

TEST_CASE("only the first byte after the consumer came to rest wakes it") {
  int wakes = 0;
  OutputQueue queue([&] { ++wakes; });
  put(queue, "abc");
  CHECK(wakes == 1);
  CHECK(take_all(queue) == "abc");
  put(queue, "d");
  CHECK(wakes == 1);
  CHECK_FALSE(queue.rest());
  CHECK(take_all(queue) == "d");
  CHECK(queue.rest());
  put(queue, "ef");
  CHECK(wakes == 2);
}

TEST_CASE("bytes come out in their order across the ring's end") {
  OutputQueue queue([] {});
  const std::string first = pattern(OutputQueue::capacity - 10);
  put(queue, first);
  CHECK(take_all(queue) == first);
  const std::string second = pattern(100);
  put(queue, second);
  CHECK(queue.front().size() == 10);
  CHECK(take_all(queue) == second);
}

TEST_CASE("a put that finds the queue full waits for room and loses nothing") {
  OutputQueue queue([] {});
  const std::string text = pattern(3 * OutputQueue::capacity);
  std::thread vcpu([&] { put(queue, text); });
  std::string taken;
  while (taken.size() < text.size()) {
    const auto bytes = queue.front();
    taken.append(bytes.begin(), bytes.end());
    queue.take(bytes.size());
    std::this_thread::yield();
  }
  vcpu.join();
  CHECK(taken == text);
  CHECK(queue.lost() == 0);
}

TEST_CASE("close releases a put that waits, keeps what is queued and counts what found no room") {
  OutputQueue queue([] {});
  const std::string text = pattern(OutputQueue::capacity);
  put(queue, text);
  std::thread vcpu([&] { put(queue, "0123456789"); });
  queue.close();
  vcpu.join();
  CHECK(queue.lost() == 10);
  CHECK(take_all(queue) == text);
  put(queue, "there is room again");
  CHECK(take_all(queue) == "there is room again");
}

TEST_CASE("with nobody to read, a full queue keeps its oldest bytes, and no put waits") {
  OutputQueue queue([] {});
  queue.when_full(OutputQueue::WhenFull::drop);
  const std::string text = pattern(OutputQueue::capacity);
  put(queue, text);
  put(queue, "dropped");
  CHECK(take_all(queue) == text);
  CHECK(queue.lost() == 0);
}

TEST_CASE("a reader that goes away releases a put that waits for it") {
  OutputQueue queue([] {});
  put(queue, pattern(OutputQueue::capacity));
  std::thread vcpu([&] { put(queue, "x"); });
  queue.when_full(OutputQueue::WhenFull::drop);
  vcpu.join();
  CHECK(queue.size() == OutputQueue::capacity);
}

TEST_CASE("after discard all that was queued and all that follows is lost") {
  OutputQueue queue([] {});
  put(queue, "abc");
  queue.discard();
  put(queue, "de");
  CHECK(queue.front().empty());
  CHECK(queue.lost() == 5);
}

TEST_CASE("vCPUs that put, a consumer and close() account for every byte") {
  std::atomic<int> wakes = 0;
  OutputQueue queue([&] { ++wakes; });
  constexpr std::size_t each = 200'000;
  std::atomic<int> running = 2;
  const auto produce = [&] {
    for (std::size_t i = 0; i < each; ++i) queue.put(0);
    --running;
  };
  std::thread first(produce);
  std::thread second(produce);
  std::thread stopper([&] { queue.close(); });
  std::size_t taken = 0;
  while (running > 0 || queue.size() > 0) {
    const std::size_t count = queue.front().size();
    queue.take(count);
    taken += count;
    if (queue.rest()) std::this_thread::yield();
  }
  first.join();
  second.join();
  stopper.join();
  CHECK(taken + queue.lost() == 2 * each);
  CHECK(wakes > 0);
}
