#include "devices/register_access.hpp"

#include <catch2/catch.hpp>
#include <vector>

using namespace kvmbench;

namespace {

constexpr RegisterPlace at_4{4, 4};

}  // namespace

TEST_CASE("a write gives a register the bytes that fall into it", "[register-access]") {
  const auto written = [](std::uint64_t offset, unsigned width, std::uint64_t value) {
    const RegisterWrite write = written_to(at_4, offset, width, value);
    return std::pair(write.value, write.mask);
  };
  using Pair = std::pair<std::uint32_t, std::uint32_t>;
  CHECK(written(4, 4, 0x44332211) == Pair{0x44332211, 0xffffffff});
  CHECK(written(5, 1, 0xaa) == Pair{0x0000aa00, 0x0000ff00});
  CHECK(written(6, 4, 0x44332211) == Pair{0x22110000, 0xffff0000});
  CHECK(written(2, 4, 0x44332211) == Pair{0x00004433, 0x0000ffff});
  CHECK(written(0, 8, 0x8877665544332211) == Pair{0x88776655, 0xffffffff});
  CHECK(written(8, 4, 0x44332211) == Pair{0, 0});
  CHECK(written(0, 4, 0x44332211) == Pair{0, 0});
  CHECK(written(~std::uint64_t{0}, 8, ~std::uint64_t{0}) == Pair{0, 0});
}

TEST_CASE("a read replaces the bytes of a register and no others", "[register-access]") {
  CHECK(read_from(at_4, 0x44332211, 4, 4, 0) == 0x44332211);
  CHECK(read_from(at_4, 0x44332211, 5, 2, 0xffff) == 0x3322);
  CHECK(read_from(at_4, 0x44332211, 6, 4, 0xffffffff) == 0xffff4433);
  CHECK(read_from(at_4, 0x44332211, 3, 2, 0xffff) == 0x11ff);
  CHECK(read_from(at_4, 0x44332211, 0, 8, 0) == 0x4433221100000000);
  CHECK(read_from(at_4, 0x44332211, 8, 4, 0x55) == 0x55);
}

TEST_CASE("reaches() tells whether an access has a byte in common with a register", "[register-access]") {
  CHECK(reaches(at_4, 4, 1));
  CHECK(reaches(at_4, 7, 1));
  CHECK(reaches(at_4, 3, 2));
  CHECK(reaches(at_4, 0, 8));
  CHECK_FALSE(reaches(at_4, 3, 1));
  CHECK_FALSE(reaches(at_4, 0, 4));
  CHECK_FALSE(reaches(at_4, 8, 4));
  CHECK_FALSE(reaches(at_4, ~std::uint64_t{0}, 8));
}

TEST_CASE("an 8-bit device sees one access a byte, lowest address first, none past its end",
          "[register-access]") {
  std::vector<std::pair<std::uint64_t, unsigned>> seen;
  write_bytes(2, 4, 0x44332211, 4, [&](std::uint64_t at, std::uint8_t byte) { seen.emplace_back(at, byte); });
  CHECK(seen == std::vector<std::pair<std::uint64_t, unsigned>>{{2, 0x11}, {3, 0x22}});
  const auto echo = [](std::uint64_t at) { return static_cast<std::uint8_t>(0xa0 + at); };
  CHECK(read_bytes(0, 2, 4, echo) == 0xa1a0);
  CHECK(read_bytes(3, 4, 4, echo) == 0xffffffa3);
  CHECK(read_bytes(4, 1, 4, echo) == 0xff);
  CHECK(read_bytes(~std::uint64_t{0}, 8, 4, echo) == ~std::uint64_t{0});
}
