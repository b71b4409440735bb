#include "lib/disk.h"

#include "lib/apic.h"

enum { model_any, model_virtio, model_ata };

const struct disk* disk_find(const struct guest* guest, unsigned depth) {
  static const char* const models[] = {"any", "virtio", "ata", 0};
  static const char* const missing[] = {"there is neither a virtio-blk device nor an ATA disk",
                                        "there is no virtio-blk device", "there is no ATA disk"};
  static const char* const waits[] = {"poll", "irq", 0};
  const bool by_interrupt = option_choice(guest, "wait", waits) == 1;
  if (by_interrupt && !apic_present()) guest_fail("wait=irq needs a local APIC");
  apic_take_over();
  const unsigned model = option_choice(guest, "model", models);
  const struct disk* disk = 0;
  if (model != model_ata) disk = virtio_disk(guest, depth, by_interrupt);
  if (!disk && model != model_virtio) disk = ata_disk(guest, by_interrupt);
  if (!disk) guest_fail(missing[model]);
  return disk;
}
