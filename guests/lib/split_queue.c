// VIRTIO 1.2, 2.7: descriptor table, available ring (driver area) and used ring (device area).
#include <linux/virtio_ring.h>

#include "lib/cpu.h"
#include "lib/memory.h"
#include "lib/virtqueue_format.h"

static volatile struct vring_avail* available(const struct virtqueue* queue) {
  return (volatile struct vring_avail*)queue->driver_area;
}
static volatile struct vring_used* used(const struct virtqueue* queue) {
  return (volatile struct vring_used*)queue->device_area;
}

// The events lie behind the rings.
static volatile uint16_t* used_event(const struct virtqueue* queue) {
  return &available(queue)->ring[queue->size];
}
static volatile uint16_t* available_event(const struct virtqueue* queue) {
  return (volatile uint16_t*)&used(queue)->ring[queue->size];
}

// How many descriptors of the table each request has for itself.
static unsigned stride(const struct virtqueue* queue) {
  return queue->layout.indirect ? 1 : queue->parts;
}

void split_initialize(struct virtqueue* queue) {
  const uint64_t driver_size = 6 + 2ull * queue->size, device_size = 6 + 8ull * queue->size;
  queue->descriptors = (uint64_t)memory_take(16ull * queue->size, 16);
  queue->driver_area = (uint64_t)memory_take(driver_size, 8);
  queue->device_area = (uint64_t)memory_take(device_size, 8);
  fill_words((void*)queue->driver_area, 0, (driver_size + 7) / 8);
  fill_words((void*)queue->device_area, 0, (device_size + 7) / 8);
}

static void write_chain(struct vring_desc* table, unsigned first, const struct virtqueue_part* parts,
                        unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    const unsigned flags =
        (parts[i].device_writes ? VRING_DESC_F_WRITE : 0u) | (i + 1 < count ? VRING_DESC_F_NEXT : 0u);
    table[first + i] = (struct vring_desc){.addr = parts[i].address,
                                           .len = parts[i].length,
                                           .flags = (uint16_t)flags,
                                           .next = (uint16_t)(first + i + 1)};
  }
}

void split_add(struct virtqueue* queue, uint16_t request, const struct virtqueue_part* parts,
               unsigned count) {
  struct vring_desc* table = (struct vring_desc*)queue->descriptors;
  const uint16_t head = (uint16_t)(request * stride(queue));
  if (queue->layout.indirect) {
    struct vring_desc* own = (struct vring_desc*)indirect_table(queue, request);
    write_chain(own, 0, parts, count);
    table[head] = (struct vring_desc){
        .addr = (uint64_t)own, .len = count * descriptor_size, .flags = VRING_DESC_F_INDIRECT};
  } else {
    write_chain(table, head, parts, count);
  }
  available(queue)->ring[queue->next_available++ & (queue->size - 1)] = head;
}

bool split_publish(struct virtqueue* queue) {
  const uint16_t before = queue->published;
  compiler_fence();
  available(queue)->idx = queue->published = queue->next_available;
  if (!queue->layout.honour_suppression) return true;
  fence();
  if (queue->layout.event_idx) return vring_need_event(*available_event(queue), queue->published, before);
  return !(used(queue)->flags & VRING_USED_F_NO_NOTIFY);
}

int split_take(struct virtqueue* queue, uint32_t* written) {
  if (used(queue)->idx == queue->next_used) return -1;
  compiler_fence();
  volatile struct vring_used_elem* element = &used(queue)->ring[queue->next_used++ & (queue->size - 1)];
  const uint32_t head = element->id;
  *written = element->len;
  const uint32_t request = stride(queue) == 1 ? head : head / stride(queue);
  virtqueue_came_back(queue, request);
  return (int)request;
}

bool split_want_interrupt(struct virtqueue* queue, bool wanted) {
  if (queue->layout.event_idx)
    *used_event(queue) = (uint16_t)(queue->next_used - (wanted ? 0 : 1));
  else
    available(queue)->flags = wanted ? 0 : VRING_AVAIL_F_NO_INTERRUPT;
  if (!wanted) return false;
  fence();
  return used(queue)->idx != queue->next_used;
}
