/// What the two formats of a virtqueue implement; virtqueue.c chooses.
#pragma once

#include "lib/virtqueue.h"

void split_initialize(struct virtqueue* queue);
void split_add(struct virtqueue* queue, uint16_t request, const struct virtqueue_part* parts, unsigned count);
bool split_publish(struct virtqueue* queue);
int split_take(struct virtqueue* queue, uint32_t* written);
bool split_want_interrupt(struct virtqueue* queue, bool wanted);

void packed_initialize(struct virtqueue* queue);
void packed_add(struct virtqueue* queue, uint16_t request, const struct virtqueue_part* parts,
                unsigned count);
bool packed_publish(struct virtqueue* queue);
int packed_take(struct virtqueue* queue, uint32_t* written);
bool packed_want_interrupt(struct virtqueue* queue, bool wanted);

enum { descriptor_size = 16 };

static inline char* indirect_table(const struct virtqueue* queue, uint16_t request) {
  return queue->indirect_tables + (uint64_t)request * queue->parts * descriptor_size;
}

/// Notes that a request came back; ends the guest if it was not in flight.
void virtqueue_came_back(struct virtqueue* queue, uint32_t request);
