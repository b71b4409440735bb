/// The driver's side of a virtqueue (VIRTIO 1.2): split (2.7) or packed (2.8), with or without indirect
/// descriptors.
///
/// Requests have numbers from 0 to requests - 1, which the driver hands out as it likes; a request that is in
/// flight keeps its number until virtqueue_take() gives it back.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct virtqueue_layout {
  bool packed;
  bool indirect;  ///< a request takes one descriptor of the ring, which points to a table of its own
  bool event_idx;
  bool honour_suppression;  ///< notify the device only where it wants that; else after every batch
};

/// One buffer of a request; those that the device reads come first.
struct virtqueue_part {
  uint64_t address;
  uint32_t length;
  bool device_writes;
};
enum { virtqueue_parts_max = 4 };

struct virtqueue_descriptor;  // of either kind, 16 bytes

struct virtqueue {
  struct virtqueue_layout layout;
  uint16_t size;                                   ///< descriptors of the ring
  uint16_t parts;                                  ///< of a request, at most
  uint16_t requests;                               ///< how many can be in flight
  uint64_t descriptors, driver_area, device_area;  ///< physical addresses, for the device

  // The place of the next descriptor made available and of the next one used: split rings count on, packed
  // rings begin anew at `size` and turn their wrap counter.
  uint16_t next_available, next_used, published;
  bool available_wrap, used_wrap;
  bool* in_flight;        // by request
  uint16_t* taken;        // descriptors of the ring that it has, by request; packed only
  char* indirect_tables;  // `parts` descriptors for each request
};

/// Takes memory for a ring of `size` descriptors, a power of two, whose requests have at most `parts`
/// buffers. The device is told not to interrupt.
void virtqueue_initialize(struct virtqueue* queue, struct virtqueue_layout layout, uint16_t size,
                          uint16_t parts);

/// Puts a request into the ring.
void virtqueue_add(struct virtqueue* queue, uint16_t request, const struct virtqueue_part* parts,
                   unsigned count);

/// Makes what was added available to the device. True if the device is to be notified.
bool virtqueue_publish(struct virtqueue* queue);

/// A request that the device is done with, or -1; `written` is how many bytes it says to have written. One
/// that was not in flight ends the guest.
int virtqueue_take(struct virtqueue* queue, uint32_t* written);

/// Asks for an interrupt at the next used request, or for none. True if there is a used request already, for
/// which there may be no interrupt any more.
bool virtqueue_want_interrupt(struct virtqueue* queue, bool wanted);
