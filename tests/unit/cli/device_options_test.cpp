// "disk.img,model=virtio,readonly": what can be given, and what is said of what cannot.
#include "cli/device_options.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "base/error.hpp"

using namespace kvmbench;
using namespace kvmbench::cli;
using namespace std::chrono_literals;

namespace {

/// What is said where `use` refuses `text`; "" where it takes it.
template <class Use>
std::string refusal(const std::string& text, const Use& use) {
  try {
    DeviceOptions options("--disk", text);
    use(options);
    options.finish();
    return "";
  } catch (const UsageError& error) {
    return error.what();
  }
}

constexpr std::array<std::string_view, 2> models = {"ata", "virtio"};

}  // namespace

TEST_CASE("the value comes first, options in any order") {
  DeviceOptions options("--disk", "disk.img,readonly,model=virtio,queues=4");
  CHECK(options.value() == "disk.img");
  CHECK(options.choice("model", models) == 1u);
  CHECK(options.number("queues", 1, 16) == 4u);
  CHECK(options.flag("readonly"));
  CHECK_FALSE(options.flag("shared"));
  CHECK_FALSE(options.text("serial"));
  CHECK_NOTHROW(options.finish());
}

TEST_CASE("options may come without a value before them") {
  DeviceOptions options("--console", "backend=file:a=b,kick=exit");
  CHECK(options.value().empty());
  CHECK(options.text("backend") == "file:a=b");
  CHECK(options.text("kick") == "exit");
}

TEST_CASE("a path with a '=' in it is a value") {
  CHECK(DeviceOptions("--disk", "/images/a=b").value() == "/images/a=b");
  CHECK(DeviceOptions("--disk", "a.b=c").value() == "a.b=c");
  CHECK(DeviceOptions("--net", "socket:a=b,mac=x").value() == "socket:a=b");
  CHECK(DeviceOptions("--disk", "").value().empty());
}

TEST_CASE("a flag is given alone, or as on or off") {
  const auto readonly = [](const std::string& text) {
    return DeviceOptions("--disk", text).flag("readonly");
  };
  CHECK(readonly("x,readonly"));
  CHECK(readonly("x,readonly=on"));
  CHECK_FALSE(readonly("x,readonly=off"));
  CHECK(DeviceOptions("--disk", "x").flag("discard", true));
  CHECK(refusal("x,readonly=maybe", [](auto& options) { options.flag("readonly"); }) ==
        "--disk x,readonly=maybe: readonly=maybe: it is on or off");
}

TEST_CASE("numbers are decimal or hexadecimal, within bounds") {
  const auto number = [](const std::string& text) {
    return DeviceOptions("--disk", "n=" + text).number("n", 1, 256);
  };
  CHECK(number("1") == 1u);
  CHECK(number("256") == 256u);
  CHECK(number("0x20") == 32u);
  for (const char* bad : {"0", "257", "-1", "", "1k", "0x", "99999999999999999999", " 1", "1.5"}) {
    CHECK(refusal(std::string("n=") + bad, [](auto& options) { options.number("n", 1, 256); }) != "");
  }
  CHECK(refusal("n=257", [](auto& options) { options.number("n", 1, 256); }) ==
        "--disk n=257: n=257: it is a whole number from 1 to 256");
}

TEST_CASE("sizes have units of 1024") {
  const auto size = [](const std::string& text) {
    return DeviceOptions("--disk", "s=" + text).size("s", 512, std::uint64_t{1} << 40);
  };
  CHECK(size("512") == 512u);
  CHECK(size("64K") == 65536u);
  CHECK(size("2M") == 2u << 20);
  CHECK(size("3G") == 3ull << 30);
  CHECK(size("1T") == 1ull << 40);
  for (const char* bad : {"511", "2T", "64k", "64KB", "99999999999G"}) {
    CHECK(refusal(std::string("s=") + bad,
                  [](auto& options) { options.size("s", 512, std::uint64_t{1} << 40); }) != "");
  }
  CHECK(refusal("s=1", [](auto& options) { options.size("s", 512, 1 << 20); }) ==
        "--disk s=1: s=1: it is a size from 512 to 1M, such as 64K");
}

TEST_CASE("times have a unit") {
  const auto time = [](const std::string& text) {
    return DeviceOptions("--disk", "t=" + text).duration("t", 1s);
  };
  CHECK(time("50us") == 50us);
  CHECK(time("1500ns") == 1500ns);
  CHECK(time("20ms") == 20ms);
  CHECK(time("1s") == 1s);
  CHECK(time("0us") == 0us);
  for (const char* bad : {"50", "0", "2s", "1m", "us", "1.5ms"}) {
    CHECK(refusal(std::string("t=") + bad, [](auto& options) { options.duration("t", 1s); }) != "");
  }
  CHECK(refusal("t=2s", [](auto& options) { options.duration("t", 1s); }) ==
        "--disk t=2s: t=2s: it is a time up to 1s with its unit, ns, us, ms or s, such as 50us");
}

TEST_CASE("what nobody knows is refused with what there is") {
  const auto use = [](auto& options) {
    options.choice("model", models);
    options.flag("readonly");
  };
  CHECK(refusal("x,model=ide", use) == "--disk x,model=ide: model=ide: it is one of ata, virtio");
  CHECK(refusal("x,redonly", use) ==
        "--disk x,redonly: there is no option redonly; there are model, readonly");
  CHECK(refusal("x,model=", use) == "--disk x,model=: model needs a value: model=...");
  CHECK(refusal("x,,", use) == "--disk x,,: there is a comma without an option behind it");
  CHECK(refusal("x,model=ata,model=ata", use) == "--disk x,model=ata,model=ata: model is given twice");
  CHECK(refusal("x,y", [](auto&) {}) == "--disk x,y: there is no option y");
}

TEST_CASE("what a virtio device holds back needs a batch, and has a default time") {
  const auto taken = [](const std::string& text) {
    DeviceOptions options("--rng", text);
    return take_virtio_options(options).ring.coalescing;
  };
  CHECK(taken("host").batch == 1);
  CHECK_FALSE(taken("host").doorbells);
  const auto both = taken("host,batch=8");
  CHECK(both.batch == 8);
  CHECK(both.timeout == 50us);
  CHECK(both.doorbells);
  CHECK(both.interrupts);
  CHECK(taken("host,batch=2,timeout=1ms").timeout == 1ms);
  CHECK(taken("host,batch=2,timeout=0us").timeout == 0us);
  CHECK_FALSE(taken("host,batch=2,hold=doorbell").interrupts);
  CHECK_FALSE(taken("host,batch=2,hold=interrupt").doorbells);
  for (const char* bad : {"host,batch=1", "host,batch=257", "host,timeout=1ms", "host,hold=both",
                          "host,batch=2,timeout=2s", "host,batch=2,hold=none"}) {
    CHECK_THROWS_AS(taken(bad), UsageError);
  }
}

TEST_CASE("every virtio device takes its doorbell's way and its rings' layout") {
  DeviceOptions options("--rng", "host,kick=exit,ring=packed");
  const VirtioOptions taken = take_virtio_options(options);
  CHECK(taken.kick == VirtioOptions::Kick::exit);
  CHECK(taken.ring.packed);
  DeviceOptions none("--rng", "host");
  CHECK(take_virtio_options(none).kick == VirtioOptions::Kick::ioeventfd);
  CHECK_FALSE(take_virtio_options(none).ring.packed);
}
