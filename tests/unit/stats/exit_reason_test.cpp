#include "stats/exit_reason.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cctype>
#include <cerrno>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>

#include "stats/exit_key.hpp"

using namespace kvmbench::stats;

namespace {

/// `#define KVM_EXIT_NAME number`, the number decimal; nothing for any other line.
std::optional<std::pair<std::string, std::uint32_t>> definition(const std::string& line) {
  std::istringstream words(line);
  std::string define;
  std::string name;
  std::string number;
  if (!(words >> define >> name >> number) || define != "#define" || name.rfind("KVM_EXIT_", 0) != 0)
    return {};
  if (!std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; })) return {};
  return std::pair(name, static_cast<std::uint32_t>(std::stoul(number)));
}

/// The reasons of the installed linux/kvm.h. KVM_EXIT_IO_IN, KVM_EXIT_XEN_HCALL and their like are sub-codes:
/// their names extend a reason's.
std::map<std::string, std::uint32_t> reasons_of_header() {
  std::ifstream header("/usr/include/linux/kvm.h");
  REQUIRE(header);
  std::map<std::string, std::uint32_t> all;
  for (std::string line; std::getline(header, line);) {
    if (const auto defined = definition(line)) all.insert(*defined);
  }
  std::map<std::string, std::uint32_t> reasons = all;
  for (const auto& reason : all) {
    std::erase_if(reasons, [&](const auto& other) { return other.first.rfind(reason.first + "_", 0) == 0; });
  }
  return reasons;
}

}  // namespace

TEST_CASE("every exit reason of linux/kvm.h has its entry") {
  const std::map<std::string, std::uint32_t> reasons = reasons_of_header();
  CHECK(reasons.size() >= 38);  // Linux 6.1
  CHECK(reasons.count("KVM_EXIT_IO") == 1);
  CHECK(reasons.count("KVM_EXIT_IO_IN") == 0);
  for (const auto& [name, number] : reasons) {
    CAPTURE(name, number);
    const ReasonText* text = userspace_reason(number);
    REQUIRE(text != nullptr);
    CHECK(text->name == name);
    CHECK(text->reason == number);
  }
}

TEST_CASE("each entry says in sentences what the exit is, what causes it and what lessens it") {
  for (const ReasonText& text : userspace_reasons()) {
    CAPTURE(text.name);
    CHECK(text.name.substr(0, 9) == "KVM_EXIT_");
    for (const std::string_view sentence : {text.description, text.cause, text.remedy}) {
      CAPTURE(sentence);
      REQUIRE(sentence.size() > 10);
      CHECK(std::isupper(static_cast<unsigned char>(sentence.front())) != 0);
      CHECK(sentence.back() == '.');
      CHECK(sentence.find("  ") == std::string_view::npos);
    }
    // One sentence: no full stop but the last.
    CHECK(text.description.find(". ") == std::string_view::npos);
  }
}

TEST_CASE("names are unique, and short ones are words of an expression") {
  std::set<std::string_view> names;
  std::set<std::string_view> short_names;
  for (const ReasonText& text : userspace_reasons()) {
    CAPTURE(text.name);
    CHECK(names.insert(text.name).second);
    CHECK(short_names.insert(text.short_name).second);
    CHECK_FALSE(text.short_name.empty());
    CHECK(std::all_of(text.short_name.begin(), text.short_name.end(),
                      [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }));
  }
}

TEST_CASE("a reason is named by its short name, its number or its errno") {
  CHECK(userspace_reason_name(2) == "io");
  CHECK(userspace_reason_name(5) == "hlt");
  CHECK(userspace_reason_name(6) == "mmio");
  CHECK(userspace_reason_name(10) == "intr");
  CHECK(userspace_reason_name(29) == "rdmsr");
  CHECK(userspace_reason_name(30) == "wrmsr");
  CHECK(userspace_reason_name(63) == "exit 63");
  CHECK(userspace_reason_name(0x7fff'fffe) == "exit 2147483646");
  CHECK(userspace_reason_name(error_reason | EAGAIN) == "error EAGAIN");
  CHECK(userspace_reason_name(error_reason | EFAULT) == "error EFAULT");
  CHECK(userspace_reason_name(error_reason | 4095) == "error 4095");
  CHECK(userspace_reason_name(overflow_reason) == "overflow");
}

TEST_CASE("a number that no header names is not known") {
  CHECK(userspace_reason(63) == nullptr);
  CHECK(userspace_reason(overflow_reason) == nullptr);
  CHECK(userspace_reason(error_reason | EAGAIN) == nullptr);
  CHECK(userspace_reason(~std::uint32_t{0}) == nullptr);
}
