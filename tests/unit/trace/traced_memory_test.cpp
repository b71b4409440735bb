#include "trace/traced_memory.hpp"

#include <catch2/catch.hpp>
#include <memory>

namespace {

using namespace kvmbench;
using namespace kvmbench::trace;

/// The arrays as the kernel's programs would leave them.
struct Arrays {
  std::vector<trace_thread> threads = std::vector<trace_thread>(3);
  std::vector<trace_record> records = std::vector<trace_record>(6);
  std::vector<trace_detail> details = std::vector<trace_detail>(4);
  UsedRecords used;

  trace_thread& thread(std::uint32_t tgid, std::uint32_t tid, std::uint32_t vcpu, std::uint32_t isa = 2) {
    trace_thread& made = threads[used.threads++];
    made.tgid = tgid;
    made.tid = tid;
    made.isa = isa;
    made.vcpu = vcpu;
    return made;
  }
  /// `place` is the thread's for the reason.
  trace_record& record(trace_u16& place, std::uint32_t reason, std::uint64_t count) {
    trace_record& made = records[used.records++];
    made.reason = reason;
    made.count = count;
    place = static_cast<trace_u16>(used.records);
    return made;
  }
  void detail(std::uint32_t thread, trace_detail_kind kind, std::uint64_t value, std::uint64_t count) {
    details[used.details++] = {
        {value, thread, static_cast<trace_u8>(kind), TRACE_WRITE, 1, 0}, count, count, 10 * count};
  }
  [[nodiscard]] TracedMemory memory() const { return {threads, records, details}; }
};

void time(trace_times& times, std::uint64_t value, std::uint64_t count) {
  times.count = count;
  times.sum = value * count;
  times.min = times.max = value;
  times.buckets[stats::buckets::index_of(value)] = count;
}

TEST_CASE("a vCPU's exits are those of its thread, by reason, with their times") {
  Arrays arrays;
  trace_thread& thread = arrays.thread(100, 101, 3);
  thread.exits = 13;
  thread.returns[2] = 5;
  trace_record& npf = arrays.record(thread.places[TRACE_LOW_REASONS], 0x400, 3);
  time(npf.out, 700, 3);
  trace_record& io = arrays.record(thread.places[0x7b], 0x7b, 10);
  io.returned = 5;
  time(io.out, 2'000, 9);
  time(io.outside, 500, 5);
  arrays.detail(0, TRACE_PAGE_FAULT, 3, 3);
  arrays.detail(0, TRACE_PORT, 0x80, 10);

  const std::vector<TracedThread> threads = arrays.memory().snapshot(arrays.used, std::nullopt);
  REQUIRE(threads.size() == 1);
  CHECK(threads[0].process == 100);
  CHECK(threads[0].thread == 101);
  CHECK(threads[0].vcpu == 3u);
  const stats::TracedExits& exits = threads[0].exits;
  CHECK(exits.vendor == stats::Vendor::svm);
  CHECK(exits.exits == 13);
  CHECK(exits.return_count() == 5);
  REQUIRE(exits.reasons.size() == 2);
  CHECK(exits.reasons[0].reason == 0x7b);
  CHECK(exits.reasons[0].count == 10);
  CHECK(exits.reasons[0].returned == 5);
  CHECK(exits.reasons[0].out_of_guest.count() == 9);
  CHECK(exits.reasons[0].out_of_guest.sum == 18'000);
  CHECK(exits.reasons[0].outside.sum == 2'500);
  CHECK(exits.reasons[1].reason == 0x400);
  REQUIRE(exits.details.size() == 2);
  CHECK(exits.details[0].detail ==
        stats::HardwareDetail{stats::HardwareDetail::Kind::port, Direction::write, 1, 0x80});
  CHECK(exits.details[1].detail.value == 3 * stats::fault_range);
}

TEST_CASE("another process's threads are another VM's") {
  Arrays arrays;
  trace_thread& ours = arrays.thread(100, 101, 0);
  arrays.record(ours.places[0x7b], 0x7b, 10);
  trace_thread& theirs = arrays.thread(200, 201, 0);
  arrays.record(theirs.places[0x7b], 0x7b, 999);
  arrays.detail(1, TRACE_PORT, 0x80, 999);

  const auto threads = arrays.memory().snapshot(arrays.used, 100);
  REQUIRE(threads.size() == 1);
  CHECK(threads[0].exits.reasons[0].count == 10);
  CHECK(threads[0].exits.details.empty());
  CHECK(arrays.memory().find(arrays.used, 100, 0) == &ours);
  CHECK(arrays.memory().find(arrays.used, 200, 0) == &theirs);
  CHECK(arrays.memory().find(arrays.used, 100, 1) == nullptr);
}

TEST_CASE("a thread that has had no exit has no vCPU yet") {
  Arrays arrays;
  arrays.thread(100, 101, 0, /*isa=*/0);
  const auto threads = arrays.memory().snapshot(arrays.used, 100);
  REQUIRE(threads.size() == 1);
  CHECK_FALSE(threads[0].vcpu);
  CHECK(threads[0].exits.vendor == stats::Vendor::unknown);
  CHECK(arrays.memory().find(arrays.used, 100, 0) == nullptr);
}

TEST_CASE("reasons are found by number, those without a place of their own too") {
  Arrays arrays;
  trace_thread& thread = arrays.thread(100, 101, 0);
  trace_record& low = arrays.record(thread.places[0x7b], 0x7b, 1);
  trace_record& high = arrays.record(thread.places[TRACE_LOW_REASONS + 1], 0x401, 1);
  thread.other_reasons[0] = 0xffff'ffff;
  trace_record& invalid = arrays.record(thread.others[0], 0xffff'ffff, 1);
  const TracedMemory memory = arrays.memory();
  CHECK(memory.find(thread, 0x7b) == &low);
  CHECK(memory.find(thread, 0x401) == &high);
  CHECK(memory.find(thread, 0xffff'ffff) == &invalid);
  CHECK(memory.find(thread, 0x400) == nullptr);
  CHECK(memory.find(thread, 0x8000'0021) == nullptr);
}

TEST_CASE("numbers beyond the arrays are passed over") {
  Arrays arrays;
  trace_thread& thread = arrays.thread(100, 101, 0);
  thread.places[1] = 60'000;
  arrays.detail(77, TRACE_PORT, 0x80, 1);
  arrays.detail(0, TRACE_PORT, 0x80, 1);
  arrays.details[1].key.kind = 99;
  arrays.used = {.threads = 9'999, .records = 9'999, .details = 9'999};
  const auto threads = arrays.memory().snapshot(arrays.used, 100);
  REQUIRE(threads.size() == 1);
  CHECK(threads[0].exits.reasons.empty());
  CHECK(threads[0].exits.details.empty());
}

}  // namespace
