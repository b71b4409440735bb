/// Whatever a driver does to virtio-console, and whatever is typed meanwhile: the console takes no more than
/// it was offered, and tells when it has room again.
#include "devices/virtio/console_device.hpp"
#include "virtio_driver.hpp"

namespace {

using namespace kvmbench;
using fuzz::Input;
using fuzz::require;

/// Offers again what was not taken, as the host's input does.
struct Typist final : ReceiveReady {
  explicit Typist(virtio::ConsoleDevice& target) : console(target) {}
  void receive_ready() noexcept override {
    const std::size_t taken = console.receive(pending);
    require(taken <= pending.size());
    pending = pending.subspan(taken);
  }
  virtio::ConsoleDevice& console;
  std::span<const std::uint8_t> pending;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input({data, size});
  GuestMemory memory(fuzz::VirtioDriver::memory_size);
  NullSink sink;
  virtio::ConsoleDevice device("virtio-console0", memory, sink, virtio::ConsoleDevice::Size{80, 24});
  Typist typist(device);
  device.set_receive_ready(typist);
  fuzz::VirtioDriver driver(memory, device);
  while (!input.empty()) {
    const auto choice = input.take<std::uint8_t>();
    if (choice % 8 == 0) {
      typist.pending = input.take_bytes(choice / 8);
      typist.receive_ready();
    } else if (choice % 8 == 1) {
      device.resize({input.take<std::uint8_t>(), input.take<std::uint8_t>()});
    } else {
      driver.step(input);
    }
  }
  driver.finish();
  return 0;
}
