// An ATA disk as device 0 of the primary channel, by programmed I/O (ATA/ATAPI-7 volume 1: commands; volume
// 2, 5 and 9.5 to 9.7: registers, the PIO protocols).
//
// The registers are written and read as a driver has to, and no more often, but for Alternate Status: that is
// what is polled while the device is busy. Status, which acknowledges the interrupt, is read once for each
// interrupt that the protocol has, in either way of waiting.
#include "lib/apic.h"
#include "lib/cpu.h"
#include "lib/disk.h"
#include "lib/interrupts.h"
#include "lib/io_apic.h"

enum {
  port_data = 0x1f0,
  port_sector_count = 0x1f2,
  port_lba_low = 0x1f3,
  port_lba_mid = 0x1f4,
  port_lba_high = 0x1f5,
  port_device = 0x1f6,
  port_command = 0x1f7,  // read: Status
  port_control = 0x3f6,  // read: Alternate Status
};
enum { status_err = 0x01, status_drq = 0x08, status_df = 0x20, status_bsy = 0x80 };
enum { control_nien = 0x02, device_lba = 0x40, gsi = 14 };
enum { command_identify = 0xec, command_set_multiple = 0xc6 };

// LBA28 commands, and those with 48 bits.
struct commands {
  uint8_t read, read_multiple, write, write_multiple, flush;
};
static const struct commands commands28 = {0x20, 0xc4, 0x30, 0xc5, 0xe7};
static const struct commands commands48 = {0x24, 0x29, 0x34, 0x39, 0xea};

static struct disk disk;
static bool lba48, polled;
static unsigned multiple;  // sectors of a DRQ block, of READ and WRITE MULTIPLE; 0: the commands with one

// There is one command at a time: kick() carries it out.
static struct {
  bool given, done, failed;
  unsigned slot;
  enum disk_operation operation;
  uint64_t sector;
  char* buffer;
  uint32_t sectors;
} request;

static volatile bool interrupted;
static volatile uint8_t status_at_interrupt;

__attribute__((interrupt)) static void ata_interrupt(struct interrupt_frame* frame) {
  (void)frame;
  status_at_interrupt = in8(port_command);
  interrupted = true;
  apic_end_of_interrupt();
}

static void wait_while_busy(void) {
  while (in8(port_control) & status_bsy) pause();
}

// Until the interrupt, or what would have been one; gives the Status register.
static uint8_t wait_for_interrupt(void) {
  if (polled) {
    wait_while_busy();
    return in8(port_command);
  }
  while (!interrupted) halt_until_interrupt();
  interrupted = false;
  return status_at_interrupt;
}

static void write_address(uint64_t sector, uint32_t sectors) {
  if (lba48) {
    out8(port_sector_count, (uint8_t)(sectors >> 8));
    out8(port_lba_low, (uint8_t)(sector >> 24));
    out8(port_lba_mid, (uint8_t)(sector >> 32));
    out8(port_lba_high, (uint8_t)(sector >> 40));
  }
  out8(port_sector_count, (uint8_t)sectors);
  out8(port_lba_low, (uint8_t)sector);
  out8(port_lba_mid, (uint8_t)(sector >> 8));
  out8(port_lba_high, (uint8_t)(sector >> 16));
  out8(port_device, (uint8_t)(device_lba | (lba48 ? 0 : sector >> 24 & 0xf)));
}

static bool bad(uint8_t status) {
  return status & (status_err | status_df);
}

static uint32_t block_sectors(uint32_t left) {
  const uint32_t block = multiple ? multiple : 1;
  return left < block ? left : block;
}

// 9.5, PIO data-in: an interrupt before each DRQ block.
static bool transfer_in(void) {
  for (uint32_t left = request.sectors; left;) {
    const uint8_t status = wait_for_interrupt();
    if (bad(status) || !(status & status_drq)) return false;
    const uint32_t sectors = block_sectors(left);
    in_string16(port_data, request.buffer, sectors * sector_size / 2);
    request.buffer += sectors * sector_size;
    left -= sectors;
  }
  return true;
}

// 9.6, PIO data-out: none before the first DRQ block, one after each.
static bool transfer_out(void) {
  wait_while_busy();
  for (uint32_t left = request.sectors; left;) {
    const uint32_t sectors = block_sectors(left);
    out_string16(port_data, request.buffer, sectors * sector_size / 2);
    request.buffer += sectors * sector_size;
    left -= sectors;
    const uint8_t status = wait_for_interrupt();
    if (bad(status) || (left && !(status & status_drq))) return false;
  }
  return true;
}

static bool run(void) {
  const struct commands* commands = lba48 ? &commands48 : &commands28;
  switch (request.operation) {
    case disk_read:
      write_address(request.sector, request.sectors);
      out8(port_command, multiple ? commands->read_multiple : commands->read);
      return transfer_in();
    case disk_write:
      write_address(request.sector, request.sectors);
      out8(port_command, multiple ? commands->write_multiple : commands->write);
      return transfer_out();
    case disk_flush:
    default:
      out8(port_command, commands->flush);
      return !bad(wait_for_interrupt());
  }
}

static void submit(unsigned slot, enum disk_operation operation, uint64_t sector, void* buffer,
                   uint32_t bytes) {
  request.given = true;
  request.slot = slot;
  request.operation = operation;
  request.sector = sector;
  request.buffer = buffer;
  request.sectors = bytes / sector_size;
}

static void kick(void) {
  request.failed = !run();
  request.given = false;
  request.done = true;
}

static int complete(bool* failed) {
  if (!request.done) return -1;
  request.done = false;
  *failed = request.failed;
  return (int)request.slot;
}

// Words of IDENTIFY DEVICE (volume 1, 6.17).
enum {
  word_multiple_most = 47,
  word_capabilities = 49,
  word_sectors28 = 60,
  word_features = 83,
  word_sectors48 = 100
};

static bool identify(uint16_t* words) {
  out8(port_device, device_lba);
  const uint8_t status = in8(port_control);
  if (status == 0 || status == 0xff) return false;  // no device, no channel
  out8(port_control, polled ? control_nien : 0);
  wait_while_busy();
  out8(port_command, command_identify);
  const uint8_t identified = wait_for_interrupt();
  if (bad(identified) || !(identified & status_drq)) return false;
  in_string16(port_data, words, sector_size / 2);
  const uint16_t lba_supported = 1 << 9;
  return words[word_capabilities] & lba_supported;
}

static void set_multiple(const uint16_t* words) {
  if (!multiple) return;
  if (multiple > (words[word_multiple_most] & 0xff)) guest_fail("multiple= is more than the disk can");
  out8(port_sector_count, (uint8_t)multiple);
  out8(port_command, command_set_multiple);
  if (bad(wait_for_interrupt())) guest_fail("the disk does not take SET MULTIPLE MODE");
}

const struct disk* ata_disk(const struct guest* guest, bool by_interrupt) {
  static uint16_t words[sector_size / 2];
  polled = !by_interrupt;
  if (by_interrupt) {
    interrupts_set_handler(vector_device, ata_interrupt);
    io_apic_route(gsi, vector_device, trigger_edge);
  }
  if (!identify(words)) return 0;
  multiple = (unsigned)option_number(guest, "multiple", 0, 1, 128);
  set_multiple(words);

  const uint16_t has_lba48 = 1 << 10;
  lba48 = words[word_features] & has_lba48;
  disk = (struct disk){.name = "ATA",
                       .sectors = words[word_sectors28] | (uint64_t)words[word_sectors28 + 1] << 16,
                       .depth = 1,
                       .sectors_most = 255,
                       .can_flush = true,
                       .submit = submit,
                       .kick = kick,
                       .complete = complete,
                       .wait = pause};
  if (lba48) {
    disk.sectors = 0;
    for (unsigned i = 0; i < 4; ++i) disk.sectors |= (uint64_t)words[word_sectors48 + i] << (16 * i);
  }
  return &disk;
}
