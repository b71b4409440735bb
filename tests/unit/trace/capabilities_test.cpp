#include "trace/capabilities.hpp"

#include <catch2/catch.hpp>

namespace {

using namespace kvmbench::trace;

constexpr std::uint64_t bit(unsigned number) {
  return std::uint64_t{1} << number;
}

TEST_CASE("a process's capabilities are read from its status file") {
  CHECK(effective_capabilities("Name:\tx\nCapPrm:\t0\nCapEff:\t000001ffffffffff\nCapBnd:\t1\n") ==
        0x1ff'ffff'ffffu);
  CHECK_FALSE(effective_capabilities("Name:\tx\n"));
}

TEST_CASE("what is missing is named as capabilities(7) does") {
  CHECK(missing_capabilities({Capability::bpf, Capability::perfmon}, 0) == "CAP_BPF and CAP_PERFMON");
  CHECK(missing_capabilities({Capability::bpf, Capability::perfmon}, bit(39)) == "CAP_PERFMON");
  CHECK(missing_capabilities({Capability::bpf, Capability::perfmon}, bit(38) | bit(39)).empty());
}

TEST_CASE("CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON alone") {
  CHECK(missing_capabilities({Capability::bpf, Capability::perfmon}, bit(21)).empty());
  CHECK(missing_capabilities({Capability::dac_read_search}, bit(21)) == "CAP_DAC_READ_SEARCH");
}

}  // namespace
