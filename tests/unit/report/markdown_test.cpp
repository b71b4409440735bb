#include <linux/kvm.h>

#include <catch2/catch.hpp>

#include "report/formats.hpp"
#include "sample.hpp"

namespace kvmbench::report {
namespace {

using namespace testing;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("reasons have what they are, count, shares and time, and a total") {
  const Report report = report_of({exits(port(0x3f8, Direction::write, 1), 1'000, 2'000, 20'000),
                                   exits(of_reason(KVM_EXIT_HLT), 1'000, 6'000, 100'000)});
  const std::string text = to_markdown(report, false);
  CHECK(contains(text,
                 "\n| reason | what it is | count | count % | service | time % | mean | p99 | run |\n"
                 "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
                 "| `hlt` | "));
  CHECK(contains(text, " | 1,000 | 50.0 | 6.00 ms | 75.0 | 6.00 µs | 6.00 µs | 100 ms |\n| `io` | "));
  CHECK(contains(text, "\n| **total** |  | **2,000** | 100.0 | **8.00 ms** | 100.0 | 4.00 µs | "));
}

TEST_CASE("keys have their device, register, direction and width") {
  CHECK(contains(
      to_markdown(rich_report(), false),
      "\n| `gpa 0xfeb00050` | virtio-blk0 | QueueNotify | write | 4 | 30 | 30 | 1.35 ms | 45.0 µs |"));
}

TEST_CASE("what the user gave is no markup and breaks no table") {
  const std::string text = to_markdown(rich_report(), true);
  CHECK(contains(text, "\n| image | `@hello` |\n"));
  CHECK(contains(text, "\n| command line | `root=/dev/vda\\|x \\x1b]0;pwned\\x07 'quiet'` |\n"));
  CHECK(contains(text, "\n| `serial /log\\x1b[2Jin: \\|\"a,b\"/` | 34 |"));
}

TEST_CASE("names are escaped where they are text") {
  Report report = report_of({exits(port(0x3f8, Direction::write, 1), 1, 10, 10)});
  report.set_name(port(0x3f8, Direction::write, 1), {"a|b", "<img>*[x](y)*"});
  CHECK(contains(to_markdown(report, false), "| a\\|b | &lt;img&gt;\\*\\[x\\](y)\\* |"));
}

TEST_CASE("split by phase, each phase that has exits has its tables before the whole") {
  const std::string text = to_markdown(rich_report(), true);
  CHECK(text.find("### Exits by reason, phase `start`\n") <
        text.find("### Exits by reason, phase `post 0x10`\n"));
  CHECK(text.find("### Exits by key, phase `post 0x10`\n") < text.find("### Exits by reason, whole run\n"));
  CHECK(contains(text, "### Exits by key, whole run\n"));
}

TEST_CASE("the kernel's count of exits stands beside KVM_RUN's returns in Markdown") {
  CHECK(contains(to_markdown(rich_report(), false),
                 "\n2,065 exits, as many as KVM_RUN returned. KVM counted 12,063 hardware exits and KVM_RUN "
                 "returned 2,065 times: at least the difference, 9,998, KVM served itself. "));
}

TEST_CASE("a run without exits says so in Markdown") {
  CHECK(
      to_markdown(report_of({}), true)
          .ends_with("\nNo exits were recorded. How many hardware exits there were is not known: this kernel "
                     "keeps no such count.\n"));
}

TEST_CASE("operations are a table of their own") {
  const std::string text = to_markdown(rich_report(), false);
  CHECK(text.find("| virtio-blk0 | requests | 60 | 30 | 0.500 | 22.5 µs |\n") != std::string::npos);
  CHECK(to_markdown(report_of({}), false).find("Operations") == std::string::npos);
}

}  // namespace
}  // namespace kvmbench::report
