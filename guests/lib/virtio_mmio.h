/// A virtio device behind the MMIO transport, version 2 (VIRTIO 1.2, 4.2).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/cpu.h"
#include "lib/guest.h"
#include "lib/virtqueue.h"

struct virtio_device {
  uint64_t base;
  unsigned gsi;
  uint64_t features;  ///< that driver and device agreed on
};

/// Looks for the first device of that kind (5) where the command line says (virtio_mmio.device=SIZE@BASE:IRQ,
/// as Linux takes it), or else in the slots of kvmbench and of QEMU's microvm. Resets the one it finds, and
/// tells it that it has a driver.
bool virtio_find(const struct guest* guest, uint32_t device_id, struct virtio_device* device);

/// Of the `wanted` features (masks, VIRTIO_F_VERSION_1 included) those that the device offers; ends the guest
/// where one of the `needed` is missing or the device does not take the choice.
void virtio_negotiate(struct virtio_device* device, uint64_t wanted, uint64_t needed);

static inline bool virtio_has(const struct virtio_device* device, unsigned feature) {
  return device->features >> feature & 1;
}

/// What the options ring=, indirect=, event_idx= and suppress= ask for, and the features that this needs.
struct virtqueue_layout virtio_layout(const struct guest* guest);
uint64_t virtio_layout_features(struct virtqueue_layout layout);

/// Makes queue `index` with at most `size` descriptors, a power of two.
void virtio_start_queue(const struct virtio_device* device, unsigned index, struct virtqueue* queue,
                        struct virtqueue_layout layout, uint16_t size, uint16_t parts);

/// DRIVER_OK: the device may work from now on.
void virtio_start(const struct virtio_device* device);

/// Has the device's interrupt come to this CPU, which acknowledges it and does nothing more: a read of
/// InterruptStatus and a write of InterruptACK.
void virtio_enable_interrupt(const struct virtio_device* device);

/// How many have come.
extern volatile uint64_t virtio_interrupts;

static inline void virtio_notify(const struct virtio_device* device, unsigned queue) {
  enum { queue_notify = 0x50 };
  mmio_write32(device->base + queue_notify, queue);
}

uint32_t virtio_config_read(const struct virtio_device* device, unsigned offset);
uint8_t virtio_config_read_byte(const struct virtio_device* device, unsigned offset);
