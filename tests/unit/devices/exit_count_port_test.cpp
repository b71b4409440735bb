#include "devices/exit_count_port.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

namespace kvmbench {
namespace {

constexpr std::uint32_t io_exit = KVMBENCH_USERSPACE_REASON + 2;  // KVM_EXIT_IO
constexpr std::uint64_t mib = 1024 * 1024;

class GivenCounts final : public stats::ExitCounts {
 public:
  stats::Tally all_exits;
  std::map<std::uint32_t, stats::Tally> of_userspace;

  stats::Tally all() const noexcept override { return all_exits; }
  stats::Tally userspace(std::uint32_t n) const noexcept override {
    const auto at = of_userspace.find(n);
    return at == of_userspace.end() ? stats::Tally{} : at->second;
  }
  stats::Spread userspace_spread(std::uint32_t) const noexcept override { return {1, 2, 3, 4}; }
  stats::Tally hardware(std::uint32_t) const noexcept override { return {}; }
  stats::Spread hardware_spread(std::uint32_t) const noexcept override { return {}; }
  std::size_t list(std::span<stats::ReasonTally> to) const noexcept override {
    std::size_t found = 0;
    for (const auto& [n, tally] : of_userspace) {
      if (found < to.size()) to[found] = {KVMBENCH_USERSPACE_REASON + n, tally};
      ++found;
    }
    return found;
  }
};

class GivenVcpu final : public CurrentVcpu {
 public:
  unsigned index = 0;
  unsigned current() const noexcept override { return index; }
};

class NotedPhases final : public GuestPhases {
 public:
  std::vector<std::uint32_t> marks;
  std::vector<std::string> names;
  void mark(std::uint32_t number) noexcept override { marks.push_back(number); }
  void named(std::string_view name) noexcept override { names.emplace_back(name); }
};

stats::HardwareAccount untraced_vmx() {
  stats::KvmHost host;
  host.vendor = stats::Vendor::vmx;
  return stats::HardwareAccount::of(host, false);
}

struct Fixture {
  GuestMemory memory{mib};
  GivenCounts counts[2];
  alignas(4096) std::byte pages[2][KVMBENCH_PAGE_BYTES];
  ExitCountPage page[2] = {{pages[0], 0}, {pages[1], 1}};
  GivenVcpu vcpu;
  NotedPhases phases;
  stats::HardwareAccount hardware = untraced_vmx();
  ExitCountPort port{{{&counts[0], &page[0]}, {&counts[1], &page[1]}},
                     KVMBENCH_FEATURE_PORT | KVMBENCH_FEATURE_PAGE,
                     hardware,
                     vcpu,
                     memory,
                     phases};

  Fixture() {
    counts[0].all_exits = {0x1'0000'0002, 0x3'0000'0004};
    counts[0].of_userspace[2] = {20, 200};
    counts[1].of_userspace[2] = {21, 210};
  }

  void write(std::uint32_t offset, std::uint32_t value) { port.write(offset, 4, value); }
  std::uint32_t read(std::uint32_t offset) { return static_cast<std::uint32_t>(port.read(offset, 4)); }
  std::vector<std::uint32_t> answer() {
    std::vector<std::uint32_t> words;
    for (int i = 0; i < 4; ++i) words.push_back(read(KVMBENCH_PORT_ANSWER));
    return words;
  }
  std::vector<std::uint32_t> ask(std::uint32_t leaf, std::uint32_t reason) {
    write(KVMBENCH_PORT_LEAF, leaf);
    write(KVMBENCH_PORT_REASON, reason);
    return answer();
  }

  void put(std::uint64_t block, std::uint32_t index, std::uint32_t leaf, std::uint32_t reason) {
    const kvmbench_request request{leaf, reason, 0xa, 0xb, 0xc, 0xd};
    REQUIRE(memory.store(Gpa{block + 24 * index}, request));
  }
  std::vector<std::uint32_t> entry(std::uint64_t block, std::uint32_t index) {
    const auto request = memory.load<kvmbench_request>(Gpa{block + 24 * index});
    REQUIRE(request.has_value());
    return {request->eax, request->ebx, request->ecx, request->edx};
  }
};

using Words = std::vector<std::uint32_t>;
const Words undefined{0, 0, 0, 0xffffffff};
const Words untouched{0xa, 0xb, 0xc, 0xd};

TEST_CASE_METHOD(Fixture, "exit-count port: writing a reason latches the answer to the leaf") {
  CHECK(ask(KVMBENCH_LEAF_ALL, 0) == Words{2, 3, 4, 1});
  CHECK(ask(KVMBENCH_LEAF_COUNT, io_exit) == Words{20, 0, io_exit, 0});
}

TEST_CASE_METHOD(Fixture, "exit-count port: the latched answer stays while the counts go on") {
  write(KVMBENCH_PORT_LEAF, KVMBENCH_LEAF_COUNT);
  write(KVMBENCH_PORT_REASON, io_exit);
  counts[0].of_userspace[2] = {99, 990};
  CHECK(answer() == Words{20, 0, io_exit, 0});
}

TEST_CASE_METHOD(Fixture, "exit-count port: the leaf holds for further reasons") {
  ask(KVMBENCH_LEAF_CYCLES, io_exit);
  write(KVMBENCH_PORT_REASON, io_exit + 1);
  CHECK(answer() == Words{0, 0, 0, 0});
  write(KVMBENCH_PORT_REASON, io_exit);
  CHECK(answer() == Words{20, 0, 200, 0});
}

TEST_CASE_METHOD(Fixture, "exit-count port: the answer's words come in turn, and again from EAX") {
  ask(KVMBENCH_LEAF_ALL, 0);
  CHECK(answer() == Words{2, 3, 4, 1});
  CHECK(read(KVMBENCH_PORT_ANSWER) == 2);
}

TEST_CASE_METHOD(Fixture, "exit-count port: a new question begins at EAX") {
  ask(KVMBENCH_LEAF_ALL, 0);
  read(KVMBENCH_PORT_ANSWER);
  write(KVMBENCH_PORT_REASON, 0);
  CHECK(answer() == Words{2, 3, 4, 1});
}

TEST_CASE_METHOD(Fixture, "exit-count port: before any question the answer is that to an undefined leaf") {
  CHECK(answer() == undefined);
  write(KVMBENCH_PORT_REASON, io_exit);
  CHECK(answer() == undefined);
}

TEST_CASE_METHOD(Fixture,
                 "exit-count port: an access that is not 4 bytes wide at a register's offset does nothing") {
  ask(KVMBENCH_LEAF_ALL, 0);
  CHECK(port.read(KVMBENCH_PORT_ANSWER, 1) == 0xff);
  CHECK(port.read(KVMBENCH_PORT_ANSWER, 2) == 0xffff);
  CHECK(port.read(KVMBENCH_PORT_ANSWER + 1, 4) == 0xffffffff);
  CHECK(port.read(KVMBENCH_PORT_ANSWER + 2, 2) == 0xffff);
  CHECK(answer() == Words{2, 3, 4, 1});  // none of them has taken a word

  port.write(KVMBENCH_PORT_LEAF, 1, 0);
  port.write(KVMBENCH_PORT_LEAF, 2, 0);
  port.write(KVMBENCH_PORT_LEAF + 2, 4, 0);
  port.write(KVMBENCH_PORT_REASON, 2, io_exit);
  port.write(KVMBENCH_PORT_MARK, 1, 5);
  port.write(KVMBENCH_PORT_NAME, 2, 'a');
  port.write(KVMBENCH_PORT_PAGE, 1, 1);
  write(KVMBENCH_PORT_REASON, 0);
  CHECK(answer() == Words{2, 3, 4, 1});  // the leaf is still the one written whole
  CHECK(phases.marks.empty());
  CHECK_FALSE(page[0].kept());
}

TEST_CASE_METHOD(Fixture, "exit-count port: registers that cannot be read, and reserved ones, read as ones") {
  for (const std::uint32_t offset :
       {KVMBENCH_PORT_LEAF, KVMBENCH_PORT_REASON, KVMBENCH_PORT_MARK, KVMBENCH_PORT_NAME, 28u, 31u}) {
    CAPTURE(offset);
    CHECK(read(offset) == 0xffffffff);
  }
  CHECK(port.read(std::uint64_t{1} << 32, 4) == 0xffffffff);
}

TEST_CASE_METHOD(Fixture, "exit-count port: each vCPU has registers and counts of its own") {
  write(KVMBENCH_PORT_LEAF, KVMBENCH_LEAF_COUNT);
  write(KVMBENCH_PORT_REASON, io_exit);
  vcpu.index = 1;
  CHECK(answer() == undefined);
  CHECK(ask(KVMBENCH_LEAF_CYCLES, io_exit) == Words{21, 0, 210, 0});
  vcpu.index = 0;
  CHECK(answer() == Words{20, 0, io_exit, 0});
}

TEST_CASE_METHOD(Fixture, "exit-count port: an access by no vCPU gets what an absent device gives") {
  vcpu.index = 2;
  write(KVMBENCH_PORT_MARK, 1);
  CHECK(phases.marks.empty());
  CHECK(read(KVMBENCH_PORT_ANSWER) == 0xffffffff);
}

TEST_CASE_METHOD(Fixture, "exit-count port: without the feature, queries do nothing and phases work") {
  ExitCountPort silent({{&counts[0], nullptr}}, 0, hardware, vcpu, memory, phases);
  put(0x1000, 0, KVMBENCH_LEAF_COUNT, io_exit);
  put(0x1000, 1, 0, 0);
  silent.write(KVMBENCH_PORT_LEAF, 4, KVMBENCH_LEAF_ALL);
  silent.write(KVMBENCH_PORT_REASON, 4, 0);
  silent.write(KVMBENCH_PORT_BLOCK, 4, 0x1000);
  silent.write(KVMBENCH_PORT_PAGE, 4, 1);
  CHECK(silent.read(KVMBENCH_PORT_ANSWER, 4) == 0xffffffff);
  CHECK(silent.read(KVMBENCH_PORT_BLOCK, 4) == 0xffffffff);
  CHECK(silent.read(KVMBENCH_PORT_PAGE, 4) == 0xffffffff);
  CHECK(entry(0x1000, 0) == untouched);
  silent.write(KVMBENCH_PORT_MARK, 4, 7);
  CHECK(phases.marks == Words{7});
}

// Request block

TEST_CASE_METHOD(Fixture, "request block: every entry is answered, and the end says how many") {
  put(0x1000, 0, KVMBENCH_LEAF_ALL, 0);
  put(0x1000, 1, KVMBENCH_LEAF_COUNT, io_exit);
  put(0x1000, 2, KVMBENCH_LEAF_SPREAD, io_exit);
  put(0x1000, 3, 1, 0);
  put(0x1000, 4, KVMBENCH_LEAF_COUNT, 10);
  put(0x1000, 5, 0, 77);
  put(0x1000, 6, KVMBENCH_LEAF_ALL, 0);
  write(KVMBENCH_PORT_BLOCK, 0x1000);
  CHECK(read(KVMBENCH_PORT_BLOCK) == KVMBENCH_BLOCK_DONE);
  CHECK(entry(0x1000, 0) == Words{2, 3, 4, 1});
  CHECK(entry(0x1000, 1) == Words{20, 0, io_exit, 0});
  CHECK(entry(0x1000, 2) == Words{1, 2, 3, 4});
  CHECK(entry(0x1000, 3) == undefined);
  CHECK(entry(0x1000, 4) == Words{0, 0, 0, 0xfffffffe});
  CHECK(entry(0x1000, 5) == Words{5, 0, 0, 0});
  CHECK(entry(0x1000, 6) == untouched);
}

TEST_CASE_METHOD(Fixture, "request block: one without entries is answered too") {
  put(0x1000, 0, 0, 0);
  write(KVMBENCH_PORT_BLOCK, 0x1000);
  CHECK(read(KVMBENCH_PORT_BLOCK) == KVMBENCH_BLOCK_DONE);
  CHECK(entry(0x1000, 0) == Words{0, 0, 0, 0});
}

TEST_CASE_METHOD(Fixture, "request block: the latched answer of a port query stays") {
  write(KVMBENCH_PORT_LEAF, KVMBENCH_LEAF_ALL);
  write(KVMBENCH_PORT_REASON, 0);
  put(0x1000, 0, KVMBENCH_LEAF_COUNT, io_exit);
  put(0x1000, 1, 0, 0);
  write(KVMBENCH_PORT_BLOCK, 0x1000);
  CHECK(answer() == Words{2, 3, 4, 1});
}

TEST_CASE_METHOD(Fixture, "request block: it may end with the last byte of memory") {
  const std::uint64_t block = mib - 48;
  put(block, 0, KVMBENCH_LEAF_ALL, 0);
  put(block, 1, 0, 0);
  write(KVMBENCH_PORT_BLOCK, static_cast<std::uint32_t>(block));
  CHECK(read(KVMBENCH_PORT_BLOCK) == KVMBENCH_BLOCK_DONE);
  CHECK(entry(block, 0) == Words{2, 3, 4, 1});
}

TEST_CASE_METHOD(Fixture, "request block: one that runs past the end of memory is refused") {
  const std::uint64_t block = mib - 56;  // two entries and 8 bytes
  put(block, 0, KVMBENCH_LEAF_ALL, 0);
  put(block, 1, KVMBENCH_LEAF_ALL, 0);
  write(KVMBENCH_PORT_BLOCK, static_cast<std::uint32_t>(block));
  CHECK(read(KVMBENCH_PORT_BLOCK) == KVMBENCH_BLOCK_NOT_RAM);
  CHECK(entry(block, 0) == Words{0, 0, KVMBENCH_BLOCK_NOT_RAM, KVMBENCH_REFUSED});
  CHECK(entry(block, 1) == untouched);
}

TEST_CASE_METHOD(Fixture, "request block: one whose end lies half in memory is refused") {
  const std::uint64_t block = mib - 24 - 12;
  put(block, 0, KVMBENCH_LEAF_ALL, 0);
  REQUIRE(memory.store(Gpa{mib - 12}, std::uint32_t{0}));
  write(KVMBENCH_PORT_BLOCK, static_cast<std::uint32_t>(block));
  CHECK(read(KVMBENCH_PORT_BLOCK) == KVMBENCH_BLOCK_NOT_RAM);
}

TEST_CASE_METHOD(Fixture, "request block: a first entry that is not RAM is refused in the register alone") {
  REQUIRE(memory.store(Gpa{mib - 8}, std::uint64_t{0x1122334455667788}));
  // Half in memory, behind it, in the hole of the devices (where the pages lie), at the top of the address
  // space.
  for (const std::uint64_t block : {mib - 8, mib, std::uint64_t{0xd000'0000}, std::uint64_t{0xffff'fffc}}) {
    CAPTURE(block);
    write(KVMBENCH_PORT_BLOCK, static_cast<std::uint32_t>(block));
    CHECK(read(KVMBENCH_PORT_BLOCK) == KVMBENCH_BLOCK_NOT_RAM);
  }
  CHECK(memory.load<std::uint64_t>(Gpa{mib - 8}) == 0x1122334455667788u);
}

TEST_CASE_METHOD(Fixture, "request block: a misaligned one is refused") {
  for (const std::uint32_t offset : {1u, 2u, 3u}) {
    put(0x1000 + offset, 0, KVMBENCH_LEAF_ALL, 0);
    put(0x1000 + offset, 1, 0, 0);
    write(KVMBENCH_PORT_BLOCK, 0x1000 + offset);
    CHECK(read(KVMBENCH_PORT_BLOCK) == KVMBENCH_BLOCK_MISALIGNED);
    CHECK(entry(0x1000 + offset, 0) == Words{0, 0, KVMBENCH_BLOCK_MISALIGNED, KVMBENCH_REFUSED});
    CHECK(entry(0x1000 + offset, 1) == untouched);
  }
  put(0x1004, 0, KVMBENCH_LEAF_ALL, 0);
  put(0x1004, 1, 0, 0);
  write(KVMBENCH_PORT_BLOCK, 0x1004);
  CHECK(read(KVMBENCH_PORT_BLOCK) == KVMBENCH_BLOCK_DONE);
}

TEST_CASE_METHOD(Fixture, "request block: 1024 entries are answered, one more is refused") {
  for (std::uint32_t i = 0; i < 1024; ++i) put(0x1000, i, KVMBENCH_LEAF_ALL, 0);
  put(0x1000, 1024, 0, 0);
  write(KVMBENCH_PORT_BLOCK, 0x1000);
  CHECK(read(KVMBENCH_PORT_BLOCK) == KVMBENCH_BLOCK_DONE);
  CHECK(entry(0x1000, 1023) == Words{2, 3, 4, 1});
  CHECK(entry(0x1000, 1024) == Words{1024, 0, 0, 0});

  for (std::uint32_t i = 0; i < 1025; ++i) put(0x1000, i, KVMBENCH_LEAF_ALL, 0);
  put(0x1000, 1025, 0, 0);
  write(KVMBENCH_PORT_BLOCK, 0x1000);
  CHECK(read(KVMBENCH_PORT_BLOCK) == KVMBENCH_BLOCK_ENDLESS);
  CHECK(entry(0x1000, 0) == Words{0, 0, KVMBENCH_BLOCK_ENDLESS, KVMBENCH_REFUSED});
  CHECK(entry(0x1000, 1) == untouched);
}

TEST_CASE_METHOD(Fixture, "request block: its status is the asking vCPU's") {
  write(KVMBENCH_PORT_BLOCK, 1);
  vcpu.index = 1;
  CHECK(read(KVMBENCH_PORT_BLOCK) == KVMBENCH_BLOCK_DONE);
  vcpu.index = 0;
  CHECK(read(KVMBENCH_PORT_BLOCK) == KVMBENCH_BLOCK_MISALIGNED);
}

// Phases

TEST_CASE_METHOD(Fixture, "phase mark: all 32 bits count") {
  write(KVMBENCH_PORT_MARK, 0xdead'beef);
  write(KVMBENCH_PORT_MARK, 0);
  CHECK(phases.marks == Words{0xdead'beef, 0});
}

std::vector<std::uint32_t> words_of(std::string text) {
  text.resize(text.size() / 4 * 4 + 4);
  Words words;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    words.push_back(static_cast<std::uint8_t>(text[i]) | static_cast<std::uint32_t>(text[i + 1]) << 8 |
                    static_cast<std::uint32_t>(text[i + 2]) << 16 |
                    static_cast<std::uint32_t>(text[i + 3]) << 24);
  }
  return words;
}

TEST_CASE_METHOD(Fixture, "phase name: four characters a write, ended by a 0") {
  for (const std::string name : {"a", "abc", "abcd", "load the database"}) {
    phases.names.clear();
    const Words words = words_of(name);
    for (std::size_t i = 0; i + 1 < words.size(); ++i) write(KVMBENCH_PORT_NAME, words[i]);
    CHECK(phases.names.empty());
    write(KVMBENCH_PORT_NAME, words.back());
    CHECK(phases.names == std::vector<std::string>{name});
  }
}

TEST_CASE_METHOD(Fixture, "phase name: 63 characters are kept, further ones dropped") {
  const std::string longest(63, 'x');
  for (const std::uint32_t word : words_of(longest)) write(KVMBENCH_PORT_NAME, word);
  for (const std::uint32_t word : words_of(longest + "yzyzyzyz")) write(KVMBENCH_PORT_NAME, word);
  CHECK(phases.names == std::vector<std::string>{longest, longest});
}

TEST_CASE_METHOD(Fixture, "phase name: what is not printable ASCII becomes a question mark") {
  for (const std::uint32_t word : words_of("a\n\x7f\xc3~ ")) write(KVMBENCH_PORT_NAME, word);
  CHECK(phases.names == std::vector<std::string>{"a???~ "});
}

TEST_CASE_METHOD(Fixture,
                 "phase name: an empty one marks nothing, and what follows a 0 in a word is dropped") {
  write(KVMBENCH_PORT_NAME, 0);
  write(KVMBENCH_PORT_NAME, 0x62006100);  // "\0a\0b"
  write(KVMBENCH_PORT_NAME, 0);
  CHECK(phases.names.empty());
}

TEST_CASE_METHOD(Fixture, "phase name: each vCPU spells its own") {
  write(KVMBENCH_PORT_NAME, 0x61616161);
  vcpu.index = 1;
  write(KVMBENCH_PORT_NAME, 0x62);
  vcpu.index = 0;
  write(KVMBENCH_PORT_NAME, 0);
  CHECK(phases.names == std::vector<std::string>{"b", "aaaa"});
}

// Shared page

TEST_CASE_METHOD(Fixture, "page register: 1 keeps the asking vCPU's page, 0 no more, others nothing") {
  CHECK(read(KVMBENCH_PORT_PAGE) == 0);
  write(KVMBENCH_PORT_PAGE, 1);
  CHECK(read(KVMBENCH_PORT_PAGE) == 1);
  CHECK(page[0].kept());
  CHECK_FALSE(page[1].kept());
  write(KVMBENCH_PORT_PAGE, 2);
  CHECK(read(KVMBENCH_PORT_PAGE) == 1);
  write(KVMBENCH_PORT_PAGE, 0);
  CHECK_FALSE(page[0].kept());
}

TEST_CASE_METHOD(Fixture, "the registers have names") {
  CHECK(port.register_name(KVMBENCH_PORT_ANSWER, Direction::read) == "answer");
  CHECK(port.register_name(KVMBENCH_PORT_BLOCK, Direction::write) == "request block");
  CHECK(port.register_name(28, Direction::write) == "+0x1c");
}

}  // namespace
}  // namespace kvmbench
