/// What real kernels gave (samples/README.md).
#pragma once

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace kvmbench::trace::testing {

/// "linux-6.1/kvm_exit.format".
inline std::string sample(const std::string& name) {
  std::ifstream file(SAMPLES "/" + name);
  if (!file) throw std::runtime_error("no sample " + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::vector<std::byte> sample_bytes(const std::string& name) {
  std::string digits;
  for (const char c : sample(name)) {
    if (c != '\n') digits += c;
  }
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes.push_back(static_cast<std::byte>(std::stoul(digits.substr(i, 2), nullptr, 16)));
  return bytes;
}

}  // namespace kvmbench::trace::testing
