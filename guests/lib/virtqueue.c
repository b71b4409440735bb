#include "lib/virtqueue.h"

#include "lib/cpu.h"
#include "lib/guest.h"
#include "lib/memory.h"
#include "lib/virtqueue_format.h"

void virtqueue_initialize(struct virtqueue* queue, struct virtqueue_layout layout, uint16_t size,
                          uint16_t parts) {
  *queue = (struct virtqueue){.layout = layout, .size = size, .parts = parts};
  queue->requests = layout.indirect ? size : (uint16_t)(size / parts);
  queue->in_flight = memory_take(queue->requests, 1);
  for (unsigned i = 0; i < queue->requests; ++i) queue->in_flight[i] = false;
  if (layout.indirect)
    queue->indirect_tables =
        memory_take((uint64_t)queue->requests * parts * descriptor_size, descriptor_size);
  if (layout.packed)
    packed_initialize(queue);
  else
    split_initialize(queue);
  virtqueue_want_interrupt(queue, false);
}

void virtqueue_add(struct virtqueue* queue, uint16_t request, const struct virtqueue_part* parts,
                   unsigned count) {
  queue->in_flight[request] = true;
  if (queue->layout.packed)
    packed_add(queue, request, parts, count);
  else
    split_add(queue, request, parts, count);
}

bool virtqueue_publish(struct virtqueue* queue) {
  return queue->layout.packed ? packed_publish(queue) : split_publish(queue);
}

int virtqueue_take(struct virtqueue* queue, uint32_t* written) {
  return queue->layout.packed ? packed_take(queue, written) : split_take(queue, written);
}

bool virtqueue_want_interrupt(struct virtqueue* queue, bool wanted) {
  return queue->layout.packed ? packed_want_interrupt(queue, wanted) : split_want_interrupt(queue, wanted);
}

void virtqueue_came_back(struct virtqueue* queue, uint32_t request) {
  if (request >= queue->requests || !queue->in_flight[request])
    guest_fail("the device used a descriptor that was not available to it");
  queue->in_flight[request] = false;
}
