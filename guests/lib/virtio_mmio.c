#include "lib/virtio_mmio.h"

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_ring.h>

#include "lib/apic.h"
#include "lib/interrupts.h"
#include "lib/io_apic.h"
#include "lib/kvmbench_guest.h"

static const uint32_t magic = 0x74726976;  // "virt"
enum { version_modern = 2 };

// Slots of machines that do not say on the command line where they are.
static const uint8_t kvmbench_gsis[] = {7, 12, 13, 20, 21, 22, 23};  // src/vmm/virtio_slots.hpp
static const uint64_t kvmbench_first_slot = 0xd0000000;
enum { kvmbench_slots = sizeof kvmbench_gsis, kvmbench_slot_size = 0x1000 };
// QEMU's microvm, with its second I/O APIC.
static const uint64_t microvm_first_slot = 0xfeb00000;
enum { microvm_slots = 24, microvm_slot_size = 0x200, microvm_first_gsi = 24 };

static uint32_t read_register(const struct virtio_device* device, unsigned offset) {
  return mmio_read32(device->base + offset);
}
static void write_register(const struct virtio_device* device, unsigned offset, uint32_t value) {
  mmio_write32(device->base + offset, value);
}

static bool is(const struct virtio_device* device, uint32_t device_id) {
  return read_register(device, VIRTIO_MMIO_MAGIC_VALUE) == magic &&
         read_register(device, VIRTIO_MMIO_VERSION) == version_modern &&
         read_register(device, VIRTIO_MMIO_DEVICE_ID) == device_id;
}

static bool find_by_command_line(const struct guest* guest, uint32_t device_id,
                                 struct virtio_device* device) {
  for (unsigned i = 0; i < guest->option_count; ++i) {
    const struct option* option = &guest->options[i];
    if (!option_has_key(option, "virtio_mmio.device")) continue;
    const char* at = option->value;
    const char* end = at + option->value_length;
    while (at != end && *at++ != '@') continue;
    uint64_t gsi = 0;
    bool valid = parse_number(&at, end, ':', &device->base) && at++ != end;
    valid = valid && parse_number(&at, end, ':', &gsi);  // what may follow, an id, is Linux's
    if (!valid) option_fail("not SIZE@BASE:IRQ: ", option);
    device->gsi = (unsigned)gsi;
    if (is(device, device_id)) return true;
  }
  return false;
}

static bool find_in_slots(uint32_t device_id, struct virtio_device* device) {
  for (unsigned slot = 0; slot < kvmbench_slots; ++slot) {
    device->base = kvmbench_first_slot + slot * kvmbench_slot_size;
    device->gsi = kvmbench_gsis[slot];
    if (is(device, device_id)) return true;
  }
  struct kvmbench_interface counts;
  if (kvmbench_discover(&counts)) return false;  // it is not QEMU
  for (unsigned slot = 0; slot < microvm_slots; ++slot) {
    device->base = microvm_first_slot + slot * microvm_slot_size;
    device->gsi = microvm_first_gsi + slot;
    if (is(device, device_id)) return true;
  }
  return false;
}

bool virtio_find(const struct guest* guest, uint32_t device_id, struct virtio_device* device) {
  *device = (struct virtio_device){0};
  if (!find_by_command_line(guest, device_id, device) && !find_in_slots(device_id, device)) return false;
  write_register(device, VIRTIO_MMIO_STATUS, 0);
  while (read_register(device, VIRTIO_MMIO_STATUS) != 0) pause();  // 3.1.1, 4.2.3.1: until it reads back 0
  write_register(device, VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE);
  write_register(device, VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
  return true;
}

void virtio_negotiate(struct virtio_device* device, uint64_t wanted, uint64_t needed) {
  needed |= 1ull << VIRTIO_F_VERSION_1;
  write_register(device, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
  uint64_t offered = read_register(device, VIRTIO_MMIO_DEVICE_FEATURES);
  write_register(device, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
  offered |= (uint64_t)read_register(device, VIRTIO_MMIO_DEVICE_FEATURES) << 32;
  if (needed & ~offered) guest_fail("the virtio device lacks a feature that the options need");

  device->features = offered & (wanted | needed);
  write_register(device, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
  write_register(device, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)device->features);
  write_register(device, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
  write_register(device, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)(device->features >> 32));
  const uint32_t status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK;
  write_register(device, VIRTIO_MMIO_STATUS, status);
  if (!(read_register(device, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_FEATURES_OK))
    guest_fail("the virtio device does not take the features that it offers");
}

struct virtqueue_layout virtio_layout(const struct guest* guest) {
  static const char* const rings[] = {"split", "packed", 0};
  return (struct virtqueue_layout){
      .packed = option_choice(guest, "ring", rings) == 1,
      .indirect = option_number(guest, "indirect", 0, 0, 1),
      .event_idx = option_number(guest, "event_idx", 0, 0, 1),
      .honour_suppression = option_number(guest, "suppress", 0, 0, 1),
  };
}

uint64_t virtio_layout_features(struct virtqueue_layout layout) {
  return (layout.packed ? 1ull << VIRTIO_F_RING_PACKED : 0) |
         (layout.indirect ? 1ull << VIRTIO_RING_F_INDIRECT_DESC : 0) |
         (layout.event_idx ? 1ull << VIRTIO_RING_F_EVENT_IDX : 0);
}

static void write_address(const struct virtio_device* device, unsigned low, uint64_t address) {
  write_register(device, low, (uint32_t)address);
  write_register(device, low + 4, (uint32_t)(address >> 32));
}

void virtio_start_queue(const struct virtio_device* device, unsigned index, struct virtqueue* queue,
                        struct virtqueue_layout layout, uint16_t size, uint16_t parts) {
  write_register(device, VIRTIO_MMIO_QUEUE_SEL, index);
  const uint32_t most = read_register(device, VIRTIO_MMIO_QUEUE_NUM_MAX);
  while (size > most) size = (uint16_t)(size / 2);
  if (size < parts) guest_fail("the virtio device's queue is too short or not there");
  virtqueue_initialize(queue, layout, size, parts);
  write_register(device, VIRTIO_MMIO_QUEUE_NUM, size);
  write_address(device, VIRTIO_MMIO_QUEUE_DESC_LOW, queue->descriptors);
  write_address(device, VIRTIO_MMIO_QUEUE_AVAIL_LOW, queue->driver_area);
  write_address(device, VIRTIO_MMIO_QUEUE_USED_LOW, queue->device_area);
  write_register(device, VIRTIO_MMIO_QUEUE_READY, 1);
}

void virtio_start(const struct virtio_device* device) {
  write_register(device, VIRTIO_MMIO_STATUS,
                 VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK |
                     VIRTIO_CONFIG_S_DRIVER_OK);
}

static uint64_t interrupting;  // base of the device whose interrupt is enabled

volatile uint64_t virtio_interrupts;

__attribute__((interrupt)) static void virtio_interrupt(struct interrupt_frame* frame) {
  (void)frame;
  ++virtio_interrupts;
  mmio_write32(interrupting + VIRTIO_MMIO_INTERRUPT_ACK,
               mmio_read32(interrupting + VIRTIO_MMIO_INTERRUPT_STATUS));
  apic_end_of_interrupt();
}

void virtio_enable_interrupt(const struct virtio_device* device) {
  interrupting = device->base;
  interrupts_set_handler(vector_device, virtio_interrupt);
  io_apic_route(device->gsi, vector_device, trigger_edge);
}

uint32_t virtio_config_read(const struct virtio_device* device, unsigned offset) {
  return read_register(device, VIRTIO_MMIO_CONFIG + offset);
}

uint8_t virtio_config_read_byte(const struct virtio_device* device, unsigned offset) {
  return mmio_read8(device->base + VIRTIO_MMIO_CONFIG + offset);
}
