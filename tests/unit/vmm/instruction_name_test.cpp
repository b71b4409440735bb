#include <catch2/catch.hpp>
#include <initializer_list>
#include <vector>

#include "vmm/crash_report.hpp"

using namespace kvmbench;

namespace {

std::string name(std::initializer_list<int> bytes) {
  std::vector<std::byte> code;
  for (const int byte : bytes) code.push_back(static_cast<std::byte>(byte));
  return instruction_name(code);
}

}  // namespace

// Encodings: Intel SDM vol. 2, each instruction's page.
TEST_CASE("instructions that an incomplete emulator lacks are named") {
  CHECK(name({0x48, 0x0f, 0xc7, 0x0f}) == "cmpxchg16b");
  CHECK(name({0xf0, 0x48, 0x0f, 0xc7, 0x0f}) == "cmpxchg16b");
  CHECK(name({0x0f, 0xc7, 0x0f}) == "cmpxchg8b");
  CHECK(name({0x0f, 0xae, 0x27}) == "xsave");
  CHECK(name({0x48, 0x0f, 0xae, 0x2f}) == "xrstor");
  CHECK(name({0x48, 0x0f, 0xc7, 0x2f}) == "xsaves");
  CHECK(name({0xcc}) == "int3");
  CHECK(name({0x0f, 0x0b}) == "ud2");
  CHECK(name({0xc5, 0xf8, 0x77}) == "an AVX instruction (VEX)");
}

TEST_CASE("what is not known, or not whole, has no name") {
  CHECK(name({}).empty());
  CHECK(name({0x90}).empty());
  CHECK(name({0x0f}).empty());
  CHECK(name({0xf0, 0xf0, 0xf0}).empty());
  CHECK(name({0x48}).empty());
}
