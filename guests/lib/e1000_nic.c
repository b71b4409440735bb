// Intel 82540EM (PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual): legacy
// descriptors (3.2.3, 3.3.3), initialisation (14), registers (13.4).
#include "lib/apic.h"
#include "lib/cpu.h"
#include "lib/interrupts.h"
#include "lib/io_apic.h"
#include "lib/memory.h"
#include "lib/nic.h"
#include "lib/pci.h"

enum { vendor_intel = 0x8086, device_82540em = 0x100e };

enum {
  register_ctrl = 0x0000,
  register_icr = 0x00c0,
  register_itr = 0x00c4,
  register_ims = 0x00d0,
  register_imc = 0x00d8,
  register_rctl = 0x0100,
  register_tctl = 0x0400,
  register_tipg = 0x0410,
  register_rdbal = 0x2800,
  register_rdbah = 0x2804,
  register_rdlen = 0x2808,
  register_rdh = 0x2810,
  register_rdt = 0x2818,
  register_tdbal = 0x3800,
  register_tdbah = 0x3804,
  register_tdlen = 0x3808,
  register_tdh = 0x3810,
  register_tdt = 0x3818,
  register_ral0 = 0x5400,
  register_rah0 = 0x5404,
};

enum { ctrl_slu = 1 << 6, ctrl_rst = 1 << 26 };
enum { cause_txdw = 1 << 0, cause_rxt0 = 1 << 7 };
enum { rctl_en = 1 << 1, rctl_bam = 1 << 15, rctl_secrc = 1 << 26 };  // and buffers of 2048 bytes
enum { tctl_en = 1 << 1, tctl_psp = 1 << 3, tctl_ct = 0x0f << 4, tctl_cold = 0x40 << 12 };
enum { tipg_recommended = 10 | 8 << 10 | 6 << 20 };  // 13.4.34, for copper
enum { command_eop = 1, command_ifcs = 2, command_rs = 8, status_dd = 1 };

struct receive_descriptor {
  uint64_t address;
  uint16_t length, checksum;
  uint8_t status, errors;
  uint16_t special;
};
struct transmit_descriptor {
  uint64_t address;
  uint16_t length;
  uint8_t checksum_offset, command, status, checksum_start;
  uint16_t special;
};
_Static_assert(sizeof(struct receive_descriptor) == 16 && sizeof(struct transmit_descriptor) == 16,
               "3.2.3, 3.3.3");

enum { ring_size = nic_receive_buffers, buffer_size = 2048 };  // of both rings

static uint64_t base;
static volatile struct receive_descriptor* receive_ring;
static volatile struct transmit_descriptor* transmit_ring;
static char* receive_buffers;
static unsigned slot_of[ring_size];  // of what is in the transmit ring
static unsigned next_received, next_sent, transmit_tail;
static unsigned unreturned;
static struct nic nic;

static void write_register(unsigned offset, uint32_t value) {
  mmio_write32(base + offset, value);
}

static void send(unsigned slot, const void* frame, uint32_t bytes) {
  volatile struct transmit_descriptor* descriptor = &transmit_ring[transmit_tail];
  descriptor->address = (uint64_t)frame;
  descriptor->length = (uint16_t)bytes;
  descriptor->command = command_eop | command_ifcs | command_rs;
  descriptor->status = 0;
  slot_of[transmit_tail] = slot;
  transmit_tail = (transmit_tail + 1) % ring_size;
}

static void kick(void) {
  write_register(register_tdt, transmit_tail);
}

static int sent(void) {
  if (next_sent == transmit_tail || !(transmit_ring[next_sent].status & status_dd)) return -1;
  const unsigned slot = slot_of[next_sent];
  next_sent = (next_sent + 1) % ring_size;
  return (int)slot;
}

// 3.2.6: the descriptors from RDH up to, not including, RDT are the card's.
static void give_back(void) {
  receive_ring[next_received].status = 0;
  next_received = (next_received + 1) % ring_size;
  if (++unreturned < nic_refill) return;
  unreturned = 0;
  write_register(register_rdt, (next_received + ring_size - 1) % ring_size);
}

static const uint8_t* receive(uint32_t* bytes) {
  if (!(receive_ring[next_received].status & status_dd)) return 0;
  if (receive_ring[next_received].errors) guest_fail("e1000: a frame with errors");
  *bytes = receive_ring[next_received].length;
  return (const uint8_t*)receive_buffers + next_received * buffer_size;
}

static void wait_for_interrupt(void) {
  if (receive_ring[next_received].status & status_dd) return;
  halt_until_interrupt();
}

static void wait_for_sent(void) {
  if (transmit_ring[next_sent].status & status_dd) return;
  halt_until_interrupt();
}

// Reading ICR clears it and lets go of the interrupt line.
__attribute__((interrupt)) static void e1000_interrupt(struct interrupt_frame* frame) {
  (void)frame;
  mmio_read32(base + register_icr);
  apic_end_of_interrupt();
}

static void enable_interrupt(struct pci_function function, uint32_t causes, uint32_t throttling) {
  interrupts_set_handler(vector_device, e1000_interrupt);
  // The Interrupt Line register says which IRQ of the 8259s it is. The I/O APIC has it under the same number
  // on QEMU's pc, and on kvmbench under 16 and the pin's link (src/devices/pci_routing.hpp).
  const uint32_t line = pci_read(function, pci_interrupt_line);
  const unsigned irq = line & 0xff, pin = line >> 8 & 0xff;
  if (irq < 16) io_apic_route(irq, vector_device, trigger_level);
  io_apic_route(16 + (function.device + pin - 1) % 4, vector_device, trigger_level);
  write_register(register_itr, throttling);
  write_register(register_ims, causes);
}

static void set_up_rings(void) {
  receive_ring = memory_take(ring_size * sizeof *receive_ring, 128);
  transmit_ring = memory_take(ring_size * sizeof *transmit_ring, 128);
  receive_buffers = memory_take(ring_size * buffer_size, 4096);
  fill_words((void*)transmit_ring, 0, ring_size * 2);
  fill_words((void*)receive_ring, 0, ring_size * 2);
  for (unsigned i = 0; i < ring_size; ++i)
    receive_ring[i].address = (uint64_t)receive_buffers + i * buffer_size;

  write_register(register_rdbal, (uint32_t)(uint64_t)receive_ring);
  write_register(register_rdbah, 0);
  write_register(register_rdlen, ring_size * sizeof *receive_ring);
  write_register(register_rdh, 0);
  write_register(register_rdt, ring_size - 1);
  write_register(register_tdbal, (uint32_t)(uint64_t)transmit_ring);
  write_register(register_tdbah, 0);
  write_register(register_tdlen, ring_size * sizeof *transmit_ring);
  write_register(register_tdh, 0);
  write_register(register_tdt, 0);
}

static void read_mac(void) {
  const uint32_t low = mmio_read32(base + register_ral0), high = mmio_read32(base + register_rah0);
  for (unsigned i = 0; i < 4; ++i) nic.mac[i] = (uint8_t)(low >> (8 * i));
  for (unsigned i = 0; i < 2; ++i) nic.mac[4 + i] = (uint8_t)(high >> (8 * i));
}

const struct nic* e1000_nic(const struct guest* guest, struct nic_options options) {
  struct pci_function function;
  if (!pci_find(vendor_intel, device_82540em, &function)) return 0;
  base = pci_read(function, pci_bar0) & ~0xfu;
  if (!base) guest_fail("e1000: no firmware has given the card an address");
  pci_write(function, pci_command,
            pci_read(function, pci_command) | pci_command_memory | pci_command_bus_master);

  write_register(register_ctrl, ctrl_rst);
  while (mmio_read32(base + register_ctrl) & ctrl_rst) pause();
  write_register(register_imc, ~0u);
  write_register(register_ctrl, ctrl_slu);
  nic = (struct nic){.name = "e1000",
                     .may_halt = options.by_interrupt,
                     .send = send,
                     .kick = kick,
                     .sent = sent,
                     .receive = receive,
                     .give_back = give_back,
                     .wait = !options.by_interrupt ? pause
                             : options.sends_only  ? wait_for_sent
                                                   : wait_for_interrupt};
  read_mac();
  set_up_rings();
  const uint32_t throttling = (uint32_t)option_number(guest, "itr", 0, 0, 0xffff);
  if (options.by_interrupt)
    enable_interrupt(function, options.sends_only ? cause_txdw : cause_rxt0, throttling);
  write_register(register_tipg, tipg_recommended);
  write_register(register_tctl, tctl_en | tctl_psp | tctl_ct | tctl_cold);
  write_register(register_rctl, rctl_en | rctl_bam | rctl_secrc);
  return &nic;
}
