#include "devices/e1000/statistics.hpp"

#include <limits>
#include <utility>

namespace kvmbench::e1000 {

namespace {

constexpr std::array<std::string_view, Statistics::count> names = {
    "CRCERRS", "ALGNERRC", "SYMERRS", "RXERRC",  "MPC",     "SCC",     "ECOL",   "MCC",
    "LATECOL", "",         "COLC",    "",        "DC",      "TNCRS",   "SEC",    "CEXTERR",
    "RLEC",    "",         "XONRXC",  "XONTXC",  "XOFFRXC", "XOFFTXC", "FCRUC",  "PRC64",
    "PRC127",  "PRC255",   "PRC511",  "PRC1023", "PRC1522", "GPRC",    "BPRC",   "MPRC",
    "GPTC",    "",         "GORCL",   "GORCH",   "GOTCL",   "GOTCH",   "",       "",
    "RNBC",    "RUC",      "RFC",     "ROC",     "RJC",     "MGTPRC",  "MGTPDC", "MGTPTC",
    "TORL",    "TORH",     "TOTL",    "TOTH",    "TPR",     "TPT",     "PTC64",  "PTC127",
    "PTC255",  "PTC511",   "PTC1023", "PTC1522", "MPTC",    "BPTC",    "TSCTC",  "TSCTFC"};

/// Which of the six counters by size (64, to 127, to 255, to 511, to 1023, more) a packet is counted in.
std::size_t size_class(std::size_t octets) noexcept {
  if (octets <= 64) return 0;
  std::size_t number = 1;
  for (std::size_t end = 128; number < 5 && octets >= end; end *= 2) ++number;
  return number;
}

}  // namespace

std::string_view Statistics::name(std::size_t index) noexcept {
  return index < count ? names[index] : std::string_view();
}

std::uint32_t Statistics::read(std::size_t index) noexcept {
  for (const std::size_t low : {gorcl, gotcl, torl, totl}) {
    if (index == low) return values_[low];
    if (index == low + 1) {
      values_[low] = 0;
      return std::exchange(values_[low + 1], 0);
    }
  }
  return std::exchange(values_[index], 0);
}

void Statistics::came(std::size_t octets) noexcept {
  add(tpr);
  add_octets(torl, octets);
}

void Statistics::received(const MacAddress& destination, std::size_t octets) noexcept {
  add(gprc);
  add_octets(gorcl, octets);
  add(prc64 + size_class(octets));
  if (destination.broadcast()) {
    add(bprc);
  } else if (destination.multicast()) {
    add(mprc);
  }
}

void Statistics::transmitted(const MacAddress& destination, std::size_t octets) noexcept {
  add(gptc);
  add(tpt);
  add_octets(gotcl, octets);
  add_octets(totl, octets);
  add(ptc64 + size_class(octets));
  if (destination.broadcast()) {
    add(bptc);
  } else if (destination.multicast()) {
    add(mptc);
  }
}

void Statistics::add(std::size_t index) noexcept {
  if (values_[index] != std::numeric_limits<std::uint32_t>::max()) ++values_[index];
}

void Statistics::add_octets(std::size_t low, std::size_t octets) noexcept {
  const std::uint64_t before = std::uint64_t{values_[low + 1]} << 32 | values_[low];
  const std::uint64_t after = before > ~std::uint64_t{octets} ? ~std::uint64_t{0} : before + octets;
  values_[low] = static_cast<std::uint32_t>(after);
  values_[low + 1] = static_cast<std::uint32_t>(after >> 32);
}

}  // namespace kvmbench::e1000
