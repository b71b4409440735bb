#include "guests/linux/output.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace kvmbench::guest {
namespace {

kvmbench_interface interface_with(std::uint32_t features) {
  kvmbench_interface interface {};
  interface.features = features;
  interface.tsc_khz = 2'600'000;
  return interface;
}
const kvmbench_interface untraced = interface_with(KVMBENCH_FEATURE_PORT);
const kvmbench_interface traced_svm = interface_with(KVMBENCH_FEATURE_PORT | KVMBENCH_FEATURE_HARDWARE |
                                                     KVMBENCH_FEATURE_KERNEL_EXITS | 2u << 8);

Sample sample() {
  Sample sample;
  sample.vcpus = {{0, 583'000, 13'000'000'000, 3, {{0x10002, 200, 4000}}}, {1, 999, 436'425'563, 0, {}}};
  sample.reasons = {{0x7b, 7, 700}, {0x10002, 200, 4000}, {0x10006, 50, 900}};
  return sample;
}

Sample growth() {
  Sample growth;
  growth.seconds = 5;
  growth.vcpus = {{0, 300, 3000, 130, {}}};
  growth.own_exits = 130;
  growth.reasons = {{0x10002, 150, 3000}, {0x10006, 20, 100}};
  return growth;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("total is one line with the sum over the vCPUs") {
  CHECK(total_text(sample()) == "CPUID(0x4FFFFFFF), exits=583999, cycles spent in exit=13436425563\n");
}

TEST_CASE("reasons are one line each: kind, number, name, count, cycles") {
  const std::string text = reasons_text(sample(), traced_svm);
  CHECK(contains(text,
                 "\nhardware        0x7b  IOIO                                  7                  700\n"));
  CHECK(contains(text,
                 "\nuserspace          2  io                                  200                 4000\n"));
  CHECK(std::count(text.begin(), text.end(), '\n') == 4);
}

TEST_CASE("where hardware reasons are not counted, the reasons say so") {
  CHECK(contains(reasons_text(sample(), untraced), "does not count hardware reasons"));
  CHECK_FALSE(contains(reasons_text(sample(), traced_svm), "does not count"));
}

TEST_CASE("watch begins with the counts") {
  const std::string text = watch_text(sample(), std::nullopt, untraced);
  CHECK(contains(text, "exits=583999"));
  CHECK(contains(text, "  io "));
  CHECK_FALSE(contains(text, "fastest"));
}

TEST_CASE("watch shows increase and rate of every reason, and marks the fastest") {
  const std::string text = watch_text(sample(), growth(), untraced);
  CHECK(contains(text, "after 5.00 s: exits=583999, +300"));
  CHECK(contains(text, "                 4000            150           30.0  <- fastest\n"));
  CHECK(contains(text, "                  900             20            4.0\n"));
  CHECK(contains(text, "                  700              0            0.0\n"));
  CHECK(contains(text, "130 userspace exits are this reading's own"));
}

TEST_CASE("where nothing grew, nothing is marked") {
  Sample still;
  still.seconds = 1;
  CHECK_FALSE(contains(watch_text(sample(), still, untraced), "fastest"));
}

TEST_CASE("run prints what came, and which of it is the reading's own") {
  const std::string text = run_text(growth(), untraced);
  CHECK(contains(text, "in 5.000 s: exits=300, cycles spent in exit=3000\n"));
  CHECK(contains(text, "130 userspace exits are this reading's own"));
}

TEST_CASE("JSON has the same numbers, on one line") {
  const std::string line = sample_json(sample(), growth(), traced_svm);
  CHECK(std::count(line.begin(), line.end(), '\n') == 1);
  const auto json = nlohmann::json::parse(line);
  CHECK(json["abi"] == 1);
  CHECK(json["vendor"] == "SVM");
  CHECK(json["hardware_reasons"] == true);
  CHECK(json["kernel_exits"] == true);
  CHECK(json["tsc_khz"] == 2'600'000);
  CHECK(json["exits"] == 583'999);
  CHECK(json["cycles"] == 13'436'425'563);
  CHECK(json["vcpus"][1]["vcpu"] == 1);
  CHECK(json["vcpus"][1]["exits"] == 999);
  CHECK(json["vcpus"][0]["own_exits"] == 3);
  CHECK(json["vcpus"][0]["reasons"] ==
        nlohmann::json::array(
            {{{"kind", "userspace"}, {"number", 2}, {"name", "io"}, {"count", 200}, {"cycles", 4000}}}));
  CHECK(json["vcpus"][1]["reasons"].empty());
  CHECK(json["reasons"][0] ==
        nlohmann::json{
            {"kind", "hardware"}, {"number", 0x7b}, {"name", "IOIO"}, {"count", 7}, {"cycles", 700}});
  CHECK(json["reasons"][1]["kind"] == "userspace");
  CHECK(json["reasons"][1]["number"] == 2);
  CHECK(json["increase"]["seconds"] == 5.0);
  CHECK(json["increase"]["own_exits"] == 130);
  CHECK(json["increase"]["reasons"].size() == 2);

  const auto first = nlohmann::json::parse(sample_json(sample(), std::nullopt, untraced));
  CHECK_FALSE(first.contains("increase"));
  CHECK(first["kernel_exits"] == false);
  CHECK(first["vendor"] == "unknown");
}

}  // namespace
}  // namespace kvmbench::guest
