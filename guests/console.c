// @console: prints lines of text, and says what each took by the guest's own clock.
//
//   model=M     virtio: virtio-console by MMIO, a line a request; uart: the 16550 at 0x3f8, which is asked
//               (LSR) before each 16 bytes, its FIFO's size; any (default): the first of them that is there
//   n=N         lines (default 64)
//   size=BYTES  of a line, its end among them (default 64)
// With model=virtio:
//   depth=N     lines in flight (default 1)
//   batch=N     lines for each notification of the device (default 1)
//   ring=R      split (default), packed
//   indirect=1, event_idx=1   use the feature; the device must offer it
//   suppress=1  leave out notifications that the device does not want (default 0: one a batch)
//
// A line is its number in eight digits, a space, letters, and LF. Phases: 0x70 the lines, 0x7f result; before
// the first the device is set up. The result goes to the 16550 in either case.
#include <linux/serial_reg.h>
#include <linux/virtio_ids.h>

#include "lib/cpu.h"
#include "lib/guest.h"
#include "lib/latency.h"
#include "lib/memory.h"
#include "lib/print.h"
#include "lib/virtio_mmio.h"

enum { mark_lines = 0x70, mark_result = 0x7f };
enum { model_any, model_virtio, model_uart };
enum { queue_transmit = 1, queue_size = 256, fifo_size = 16, number_digits = 8 };

const char* const guest_option_keys[] = {"model", "n",        "size",      "depth",    "batch",
                                         "ring",  "indirect", "event_idx", "suppress", 0};

static uint64_t lines, line_bytes;
static unsigned depth, batch;
static struct virtio_device device;
static struct virtqueue receiving, sending;

static void write_line(char* to, uint64_t number) {
  uint64_t left = number;
  for (unsigned digit = number_digits; digit--; left /= 10) to[digit] = (char)('0' + left % 10);
  to[number_digits] = ' ';
  for (uint64_t at = number_digits + 1; at < line_bytes - 1; ++at) to[at] = (char)('a' + (number + at) % 26);
  to[line_bytes - 1] = '\n';
}

static void send_by_uart(const char* line) {
  for (uint64_t at = 0; at < line_bytes; at += fifo_size) {
    while (!(in8(port_serial_data + UART_LSR) & UART_LSR_THRE)) pause();
    print_bytes(line + at, line_bytes - at < fifo_size ? line_bytes - at : fifo_size);
  }
}

static void print_by_uart(struct latencies* latencies) {
  char* line = memory_take(line_bytes, 8);
  for (uint64_t number = 0; number < lines; ++number) {
    write_line(line, number);
    const uint64_t begin = read_tsc();
    send_by_uart(line);
    latency_add(latencies, read_tsc() - begin);
  }
}

// VIRTIO 1.2, 5.3: without features there are two queues, to receive and to transmit.
static bool find_virtio(const struct guest* guest) {
  if (!virtio_find(guest, VIRTIO_ID_CONSOLE, &device)) return false;
  const struct virtqueue_layout layout = virtio_layout(guest);
  virtio_negotiate(&device, 0, virtio_layout_features(layout));
  virtio_start_queue(&device, 0, &receiving, layout, queue_size, 1);
  virtio_start_queue(&device, queue_transmit, &sending, layout, queue_size, 1);
  if (depth > sending.requests) guest_fail("depth= is more than the device's queue takes");
  virtio_start(&device);
  return true;
}

static void print_by_virtio(struct latencies* latencies) {
  char* buffers = memory_take(depth * line_bytes, 8);
  uint64_t* submitted_at = memory_take(depth * sizeof *submitted_at, 8);
  uint64_t submitted = 0, completed = 0;
  while (completed < lines) {
    const uint64_t left = lines - submitted, together = left < batch ? left : batch;
    // Lines come back in order: the device uses them as they come (5.3.6).
    if (together && submitted + together - completed <= depth) {
      for (const uint64_t end = submitted + together; submitted < end; ++submitted) {
        const uint16_t slot = (uint16_t)(submitted % depth);
        char* line = buffers + slot * line_bytes;
        write_line(line, submitted);
        submitted_at[slot] = read_tsc();
        const struct virtqueue_part part = {(uint64_t)line, (uint32_t)line_bytes, false};
        virtqueue_add(&sending, slot, &part, 1);
      }
      if (virtqueue_publish(&sending)) virtio_notify(&device, queue_transmit);
    }
    uint32_t written;
    const int slot = virtqueue_take(&sending, &written);
    if (slot < 0) {
      pause();
      continue;
    }
    if ((uint64_t)slot != completed % depth) guest_fail("the virtio-console used lines out of order");
    latency_add(latencies, read_tsc() - submitted_at[slot]);
    ++completed;
  }
}

int guest_main(const struct guest* guest) {
  static const char* const models[] = {"any", "virtio", "uart", 0};
  const unsigned model = option_choice(guest, "model", models);
  lines = option_number(guest, "n", 64, 1, 99999999);
  line_bytes = option_number(guest, "size", 64, number_digits + 2, 4096);
  depth = (unsigned)option_number(guest, "depth", 1, 1, queue_size);
  batch = (unsigned)option_number(guest, "batch", 1, 1, depth);
  memory_initialize(guest);
  static struct latencies latencies;
  latencies.cycles = memory_take(lines * sizeof *latencies.cycles, 8);
  const bool by_virtio = model != model_uart && find_virtio(guest);
  if (model == model_virtio && !by_virtio) guest_fail("there is no virtio-console");

  phase_mark(mark_lines);
  const uint64_t begin = read_tsc();
  (by_virtio ? print_by_virtio : print_by_uart)(&latencies);
  latencies.elapsed = read_tsc() - begin;

  phase_mark(mark_result);
  latency_print_header();
  latency_print(by_virtio ? "virtio" : "uart", &latencies);
  return status_ok;
}
