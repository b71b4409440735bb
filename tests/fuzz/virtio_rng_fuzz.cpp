/// Whatever a driver does to virtio-rng: random bytes go to the pieces of guest memory that it gave, bounded
/// a request, and to nothing else.
#include <algorithm>

#include "devices/virtio/entropy_device.hpp"
#include "virtio_driver.hpp"

namespace {

using namespace kvmbench;
using fuzz::Input;
using fuzz::require;

class Source final : public virtio::EntropySource {
 public:
  explicit Source(const GuestMemory& memory) : memory_(memory.regions().front().bytes) {}
  std::size_t fill(std::span<std::byte> to) noexcept override {
    require(!to.empty() && to.size() <= virtio::EntropyDevice::most_at_once);
    require(to.data() >= memory_.data() && to.data() + to.size() <= memory_.data() + memory_.size());
    const std::size_t count = to.size() - to.size() % 3;  // it need not fill all
    std::fill_n(to.begin(), count, std::byte{0x5a});
    return count;
  }

 private:
  std::span<const std::byte> memory_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input({data, size});
  GuestMemory memory(fuzz::VirtioDriver::memory_size);
  Source source(memory);
  virtio::EntropyDevice device("virtio-rng0", memory, source);
  fuzz::VirtioDriver driver(memory, device);
  while (!input.empty()) driver.step(input);
  driver.finish();
  return 0;
}
