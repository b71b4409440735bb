// virtio-blk (VIRTIO 1.2, 5.2): one queue, a request of a header, the data and a status byte.
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>

#include "lib/cpu.h"
#include "lib/disk.h"
#include "lib/memory.h"
#include "lib/virtio_mmio.h"

enum { queue_size = 256, parts = 3 };

struct request {
  struct virtio_blk_outhdr header;
  uint8_t status;
};

static struct virtio_device device;
static struct virtqueue queue;
static struct request* requests;
static struct disk disk;

static const uint32_t types[] = {
    [disk_read] = VIRTIO_BLK_T_IN, [disk_write] = VIRTIO_BLK_T_OUT, [disk_flush] = VIRTIO_BLK_T_FLUSH};

static void submit(unsigned slot, enum disk_operation operation, uint64_t sector, void* buffer,
                   uint32_t bytes) {
  struct request* request = &requests[slot];
  request->header.type = types[operation];
  request->header.sector = sector;
  request->status = UINT8_MAX;
  struct virtqueue_part list[parts] = {{(uint64_t)&request->header, sizeof request->header, false}};
  unsigned count = 1;
  if (bytes) list[count++] = (struct virtqueue_part){(uint64_t)buffer, bytes, operation == disk_read};
  list[count++] = (struct virtqueue_part){(uint64_t)&request->status, 1, true};
  virtqueue_add(&queue, (uint16_t)slot, list, count);
}

static void kick(void) {
  if (virtqueue_publish(&queue)) virtio_notify(&device, 0);
}

static int complete(bool* failed) {
  uint32_t written;
  const int slot = virtqueue_take(&queue, &written);
  if (slot >= 0) *failed = *(volatile uint8_t*)&requests[slot].status != VIRTIO_BLK_S_OK;
  return slot;
}

static bool want_interrupt(void) {
  return virtqueue_want_interrupt(&queue, true);
}

static void wait_for_interrupt(void) {
  if (!want_interrupt()) halt_until_interrupt();
}

const struct disk* virtio_disk(const struct guest* guest, unsigned depth, bool by_interrupt) {
  if (!virtio_find(guest, VIRTIO_ID_BLOCK, &device)) return 0;
  const struct virtqueue_layout layout = virtio_layout(guest);
  virtio_negotiate(&device, 1ull << VIRTIO_BLK_F_FLUSH | 1ull << VIRTIO_BLK_F_RO,
                   virtio_layout_features(layout));
  disk = (struct disk){.name = "virtio-blk",
                       .sectors = virtio_config_read(&device, 0) | (uint64_t)virtio_config_read(&device, 4)
                                                                       << 32,
                       .sectors_most = 2048,
                       .read_only = virtio_has(&device, VIRTIO_BLK_F_RO),
                       .can_flush = virtio_has(&device, VIRTIO_BLK_F_FLUSH),
                       .by_memory = !by_interrupt,
                       .submit = submit,
                       .kick = kick,
                       .complete = complete,
                       .wait = by_interrupt ? wait_for_interrupt : pause,
                       .want_interrupt = want_interrupt};
  virtio_start_queue(&device, 0, &queue, layout, queue_size, parts);
  disk.depth = queue.requests;
  requests = memory_take(depth * sizeof *requests, 16);
  for (unsigned i = 0; i < depth; ++i) requests[i] = (struct request){0};
  if (by_interrupt) virtio_enable_interrupt(&device);
  virtio_start(&device);
  return &disk;
}
