/// A disk, of whatever model.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/guest.h"

enum { sector_size = 512 };
enum disk_operation { disk_read, disk_write, disk_flush };

struct disk {
  const char* name;
  uint64_t sectors;
  unsigned depth;         ///< how many requests can be in flight
  unsigned sectors_most;  ///< of one request
  bool read_only, can_flush;
  /// The registers are in memory, and wait() does not halt: all functions can be called in ring 3.
  bool by_memory;

  /// Request `slot`, below `depth` and not in flight. A flush has no buffer and no bytes.
  void (*submit)(unsigned slot, enum disk_operation operation, uint64_t sector, void* buffer, uint32_t bytes);
  /// Hands over what was submitted since the last time.
  void (*kick)(void);
  /// The slot of a request that is done, or -1; *failed where the disk gave an error.
  int (*complete)(bool* failed);
  /// Waits until complete() may have something: a moment, or for the interrupt.
  void (*wait)(void);
  /// Asks for an interrupt when the next request is done; true if one is already, for which there may be
  /// none. Of a virtio disk alone.
  bool (*want_interrupt)(void);
};

/// Finds the one that the options model= and wait= ask for, as @disk has them, and makes it ready. Ends the
/// guest where there is none.
const struct disk* disk_find(const struct guest* guest, unsigned depth);

/// Find the disk and make it ready; null where there is none of the model. With `by_interrupt`, wait() halts.
const struct disk* virtio_disk(const struct guest* guest, unsigned depth, bool by_interrupt);
const struct disk* ata_disk(const struct guest* guest, bool by_interrupt);
