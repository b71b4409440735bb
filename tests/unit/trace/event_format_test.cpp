#include "trace/event_format.hpp"

#include <catch2/catch.hpp>

#include "samples.hpp"

namespace {

using namespace kvmbench::trace;

EventFormat format_of(const std::string& name) {
  return EventFormat::parse(testing::sample(name)).value();
}

void check_field(const EventFormat& format, const std::string& name, std::uint32_t offset,
                 std::uint32_t size) {
  const EventField* field = format.find(name);
  INFO(name);
  REQUIRE(field != nullptr);
  CHECK(field->offset == offset);
  CHECK(field->size == size);
}

TEST_CASE("kvm_exit says the same of its first fields on Linux 6.1 and 6.18") {
  const std::string kernel = GENERATE("linux-6.1", "linux-6.18");
  const EventFormat format = format_of(kernel + "/kvm_exit.format");
  check_field(format, "common_pid", 4, 4);
  check_field(format, "exit_reason", 8, 4);
  check_field(format, "guest_rip", 16, 8);
  check_field(format, "isa", 24, 4);
  check_field(format, "vcpu_id", 56, 4);
  CHECK(format.find("reason") == nullptr);
}

TEST_CASE("only Linux 6.18 has the requests in kvm_exit") {
  CHECK(format_of("linux-6.1/kvm_exit.format").find("requests") == nullptr);
  check_field(format_of("linux-6.18/kvm_exit.format"), "requests", 64, 8);
}

TEST_CASE("an event's number is its ID") {
  CHECK(format_of("linux-6.1/kvm_exit.format").id == 1473);
  CHECK(format_of("linux-6.18/kvm_exit.format").id == 103);
}

TEST_CASE("the details' fields are found, in types of one word and of two") {
  const std::string kernel = GENERATE("linux-6.1", "linux-6.18");
  check_field(format_of(kernel + "/kvm_pio.format"), "port", 12, 4);
  check_field(format_of(kernel + "/kvm_mmio.format"), "gpa", 16, 8);
  check_field(format_of(kernel + "/kvm_msr.format"), "write", 8, 4);
  check_field(format_of(kernel + "/kvm_cpuid.format"), "function", 8, 4);
  check_field(format_of(kernel + "/kvm_page_fault.format"), "fault_address", 24, 8);
  check_field(format_of(kernel + "/kvm_apic.format"), "reg", 12, 4);
  check_field(format_of(kernel + "/kvm_hypercall.format"), "nr", 8, 8);
  check_field(format_of(kernel + "/kvm_userspace_exit.format"), "reason", 8, 4);
}

TEST_CASE("arrays and pointers have the name before their brackets and after their star") {
  const auto format = EventFormat::parse(
      "name: some\nID: 7\nformat:\n"
      "\tfield:__u8 insn[15];\toffset:21;\tsize:15;\tsigned:0;\n"
      "\tfield:void *at;\toffset:40;\tsize:8;\tsigned:0;\n");
  REQUIRE(format);
  check_field(*format, "insn", 21, 15);
  check_field(*format, "at", 40, 8);
}

TEST_CASE("what is no format file is refused, what is damaged in one is left out") {
  CHECK_FALSE(EventFormat::parse(""));
  CHECK_FALSE(EventFormat::parse("name: kvm_exit\n"));
  CHECK_FALSE(EventFormat::parse("ID: twelve\n"));
  const auto format = EventFormat::parse(
      "ID: 7\n\tfield:int x;\toffset:;\tsize:4;\n\tfield:int y;\n\tfield:;\toffset:99999999999;\tsize:4;\n");
  REQUIRE(format);
  CHECK(format->fields.empty());
}

TEST_CASE("what is no name of C's is no field") {
  const auto format = EventFormat::parse(
      "ID: 7\n\tfield:int a\tb;\toffset:8;\tsize:4;\n\tfield:int x.y;\toffset:8;\tsize:4;\n"
      "\tfield:int *;\toffset:8;\tsize:4;\n\tfield:int _z9;\toffset:12;\tsize:4;\n");
  REQUIRE(format);
  CHECK(format->fields.size() == 1);
  check_field(*format, "_z9", 12, 4);
}

TEST_CASE("fields named in the print format are no fields") {
  const auto format =
      EventFormat::parse("ID: 7\nprint fmt: \"x\"\n\tfield:int x;\toffset:8;\tsize:4;\tsigned:1;\n");
  REQUIRE(format);
  CHECK(format->find("x") == nullptr);
}

}  // namespace
