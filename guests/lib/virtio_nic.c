// virtio-net (VIRTIO 1.2, 5.1): a queue of buffers to receive into and one of frames to send, without
// offloads. What comes is one descriptor, the header and the frame behind it; what is sent are two, as all
// headers are the same: zeros.
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>

#include "lib/cpu.h"
#include "lib/memory.h"
#include "lib/nic.h"
#include "lib/virtio_mmio.h"

enum {
  queue_receive = 0,
  queue_transmit = 1,
  buffer_size = 2048,
  header_size = sizeof(struct virtio_net_hdr_v1)
};

static struct virtio_device device;
static struct virtqueue receiving, sending;
static struct nic_options options;
static char* receive_buffers;
static char* headers;  // of the frames on their way, all zero
static unsigned unreturned;
static unsigned current;  // the buffer whose frame was given out
static struct nic nic;

static void offer_buffer(unsigned buffer) {
  const struct virtqueue_part part = {(uint64_t)(receive_buffers + buffer * buffer_size), buffer_size, true};
  virtqueue_add(&receiving, (uint16_t)buffer, &part, 1);
}

static void refill(void) {
  unreturned = 0;
  if (virtqueue_publish(&receiving)) virtio_notify(&device, queue_receive);
}

static void send(unsigned slot, const void* frame, uint32_t bytes) {
  const struct virtqueue_part parts[] = {{(uint64_t)headers, header_size, false},
                                         {(uint64_t)frame, bytes, false}};
  virtqueue_add(&sending, (uint16_t)slot, parts, 2);
}

static void kick(void) {
  if (virtqueue_publish(&sending)) virtio_notify(&device, queue_transmit);
}

static int sent(void) {
  uint32_t written;
  return virtqueue_take(&sending, &written);
}

static const uint8_t* receive(uint32_t* bytes) {
  uint32_t written;
  const int buffer = virtqueue_take(&receiving, &written);
  if (buffer < 0) return 0;
  current = (unsigned)buffer;
  if (written < header_size || written > buffer_size)
    guest_fail("virtio-net: a frame of an impossible length");
  *bytes = written - header_size;
  return (const uint8_t*)receive_buffers + current * buffer_size + header_size;
}

static void give_back(void) {
  offer_buffer(current);
  if (++unreturned == nic_refill) refill();
}

static void wait_for_interrupt(void) {
  if (!virtqueue_want_interrupt(options.sends_only ? &sending : &receiving, true)) halt_until_interrupt();
}

static void read_mac(void) {
  static const uint8_t own[] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};  // where the device has none for us
  for (unsigned i = 0; i < sizeof nic.mac; ++i)
    nic.mac[i] = virtio_has(&device, VIRTIO_NET_F_MAC) ? virtio_config_read_byte(&device, i) : own[i];
}

const struct nic* virtio_nic(const struct guest* guest, struct nic_options wanted) {
  options = wanted;
  if (!virtio_find(guest, VIRTIO_ID_NET, &device)) return 0;
  const struct virtqueue_layout layout = virtio_layout(guest);
  virtio_negotiate(&device, 1ull << VIRTIO_NET_F_MAC, virtio_layout_features(layout));
  nic = (struct nic){.name = "virtio-net",
                     .may_halt = options.by_interrupt,
                     .send = send,
                     .kick = kick,
                     .sent = sent,
                     .receive = receive,
                     .give_back = give_back,
                     .wait = options.by_interrupt ? wait_for_interrupt : pause};
  read_mac();
  virtio_start_queue(&device, queue_receive, &receiving, layout, nic_receive_buffers, 1);
  virtio_start_queue(&device, queue_transmit, &sending, layout, 2 * nic_depth_most, 2);
  if (receiving.size < nic_receive_buffers || sending.requests < nic_depth_most)
    guest_fail("virtio-net: the queues are too short");
  receive_buffers = memory_take(nic_receive_buffers * buffer_size, 4096);
  headers = memory_take(header_size, 4);
  for (unsigned i = 0; i < header_size; ++i) headers[i] = 0;
  if (options.by_interrupt) virtio_enable_interrupt(&device);
  virtio_start(&device);
  for (unsigned i = 0; i < nic_receive_buffers; ++i) offer_buffer(i);
  refill();
  return &nic;
}
