// VIRTIO 1.2, 2.8: one ring of descriptors, and an event suppression structure of the driver and one of the
// device.
#include <linux/virtio_ring.h>

#include "lib/cpu.h"
#include "lib/memory.h"
#include "lib/virtqueue_format.h"

enum { flag_available = 1 << VRING_PACKED_DESC_F_AVAIL, flag_used = 1 << VRING_PACKED_DESC_F_USED };

static struct vring_packed_desc* ring(const struct virtqueue* queue) {
  return (struct vring_packed_desc*)queue->descriptors;
}
static volatile struct vring_packed_desc_event* driver_event(const struct virtqueue* queue) {
  return (volatile struct vring_packed_desc_event*)queue->driver_area;
}
static volatile struct vring_packed_desc_event* device_event(const struct virtqueue* queue) {
  return (volatile struct vring_packed_desc_event*)queue->device_area;
}

void packed_initialize(struct virtqueue* queue) {
  queue->descriptors = (uint64_t)memory_take(16ull * queue->size, 16);
  queue->driver_area = (uint64_t)memory_take(8, 8);
  queue->device_area = (uint64_t)memory_take(8, 8);
  queue->taken = memory_take(2ull * queue->requests, 2);
  fill_words((void*)queue->descriptors, 0, 2ull * queue->size);
  fill_words((void*)queue->driver_area, 0, 1);
  fill_words((void*)queue->device_area, 0, 1);
  queue->available_wrap = queue->used_wrap = true;
}

// By `count` places; gives the wrap counter.
static bool advance(const struct virtqueue* queue, uint16_t* at, bool wrap, unsigned count) {
  const unsigned next = *at + count;
  *at = (uint16_t)(next < queue->size ? next : next - queue->size);
  return next < queue->size ? wrap : !wrap;
}

static unsigned available_flags(const struct virtqueue* queue) {
  return queue->available_wrap ? flag_available : flag_used;
}

static unsigned write_flag(const struct virtqueue_part* part) {
  return part->device_writes ? VRING_DESC_F_WRITE : 0;
}

// Adds descriptors to the ring; the first one's flags come last, as they make all of them available.
static void add_chain(struct virtqueue* queue, uint16_t request, const struct virtqueue_part* parts,
                      unsigned count) {
  volatile uint16_t* first_flags = &ring(queue)[queue->next_available].flags;
  unsigned flags_of_first = 0;
  for (unsigned i = 0; i < count; ++i) {
    struct vring_packed_desc* descriptor = &ring(queue)[queue->next_available];
    const unsigned flags =
        available_flags(queue) | write_flag(&parts[i]) | (i + 1 < count ? VRING_DESC_F_NEXT : 0u);
    descriptor->addr = parts[i].address;
    descriptor->len = parts[i].length;
    descriptor->id = request;
    if (i == 0)
      flags_of_first = flags;
    else
      descriptor->flags = (uint16_t)flags;
    queue->available_wrap = advance(queue, &queue->next_available, queue->available_wrap, 1);
  }
  compiler_fence();
  *first_flags = (uint16_t)flags_of_first;
  queue->taken[request] = (uint16_t)count;
  queue->published = (uint16_t)(queue->published + count);
}

// 2.8.7: in a table of indirect descriptors there is nothing but buffers; no flag but WRITE counts.
static void add_indirect(struct virtqueue* queue, uint16_t request, const struct virtqueue_part* parts,
                         unsigned count) {
  struct vring_packed_desc* table = (struct vring_packed_desc*)indirect_table(queue, request);
  for (unsigned i = 0; i < count; ++i)
    table[i] = (struct vring_packed_desc){
        .addr = parts[i].address, .len = parts[i].length, .flags = (uint16_t)write_flag(&parts[i])};
  struct vring_packed_desc* descriptor = &ring(queue)[queue->next_available];
  descriptor->addr = (uint64_t)table;
  descriptor->len = count * descriptor_size;
  descriptor->id = request;
  compiler_fence();
  *(volatile uint16_t*)&descriptor->flags = (uint16_t)(available_flags(queue) | VRING_DESC_F_INDIRECT);
  queue->taken[request] = 1;
  ++queue->published;
  queue->available_wrap = advance(queue, &queue->next_available, queue->available_wrap, 1);
}

void packed_add(struct virtqueue* queue, uint16_t request, const struct virtqueue_part* parts,
                unsigned count) {
  if (queue->layout.indirect)
    add_indirect(queue, request, parts, count);
  else
    add_chain(queue, request, parts, count);
}

bool packed_publish(struct virtqueue* queue) {
  const uint16_t added = queue->published;
  queue->published = 0;
  if (!queue->layout.honour_suppression) return true;
  fence();
  const unsigned flags = device_event(queue)->flags & 3;
  if (flags != VRING_PACKED_EVENT_FLAG_DESC) return flags == VRING_PACKED_EVENT_FLAG_ENABLE;
  // 2.8.10: the event is a place and a wrap counter; one of the round before lies `size` behind.
  const uint16_t place = device_event(queue)->off_wrap;
  const bool wrap = place >> VRING_PACKED_EVENT_F_WRAP_CTR;
  const unsigned offset = place & ~(1u << VRING_PACKED_EVENT_F_WRAP_CTR);
  const uint16_t event = (uint16_t)(wrap == queue->available_wrap ? offset : offset - queue->size);
  return vring_need_event(event, queue->next_available, (uint16_t)(queue->next_available - added));
}

static bool has_used(const struct virtqueue* queue) {
  const uint16_t flags = *(volatile uint16_t*)&ring(queue)[queue->next_used].flags;
  const bool is_available = flags & flag_available, is_used = flags & flag_used;
  return is_available == is_used && is_used == queue->used_wrap;
}

int packed_take(struct virtqueue* queue, uint32_t* written) {
  if (!has_used(queue)) return -1;
  compiler_fence();
  const volatile struct vring_packed_desc* descriptor = &ring(queue)[queue->next_used];
  const uint16_t request = descriptor->id;
  *written = descriptor->len;
  virtqueue_came_back(queue, request);
  queue->used_wrap = advance(queue, &queue->next_used, queue->used_wrap, queue->taken[request]);
  return request;
}

bool packed_want_interrupt(struct virtqueue* queue, bool wanted) {
  volatile struct vring_packed_desc_event* event = driver_event(queue);
  if (!wanted) {
    event->flags = VRING_PACKED_EVENT_FLAG_DISABLE;
    return false;
  }
  event->off_wrap = (uint16_t)(queue->next_used | queue->used_wrap << VRING_PACKED_EVENT_F_WRAP_CTR);
  compiler_fence();
  event->flags = queue->layout.event_idx ? VRING_PACKED_EVENT_FLAG_DESC : VRING_PACKED_EVENT_FLAG_ENABLE;
  fence();
  return has_used(queue);
}
