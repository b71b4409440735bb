/// A network card, of whatever model. Frames are Ethernet's, without the frame check sequence.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/guest.h"

enum {
  frame_most = 1514,
  nic_depth_most = 128,
  nic_receive_buffers = 256,
  nic_refill = 32,  ///< buffers that were given back go to the card that many at a time
};

struct nic {
  const char* name;
  uint8_t mac[6];
  bool may_halt;  ///< in wait(), else all functions can be called in ring 3

  /// Frame `slot`, below nic_depth_most and not on its way.
  void (*send)(unsigned slot, const void* frame, uint32_t bytes);
  /// Hands over what was given to send() since the last time.
  void (*kick)(void);
  /// The slot of a frame that is sent, or -1.
  int (*sent)(void);
  /// The next frame that came, or null; it is to be given back before another one is asked for.
  const uint8_t* (*receive)(uint32_t* bytes);
  void (*give_back)(void);
  /// Waits until receive(), or sent() where nothing is to come, may have something: a moment, or for the
  /// interrupt.
  void (*wait)(void);
};

struct nic_options {
  bool by_interrupt;  ///< wait() halts
  bool sends_only;    ///< wait() is for what is sent
};

/// Find the card and make it ready; null where there is none of the model.
const struct nic* virtio_nic(const struct guest* guest, struct nic_options options);
const struct nic* e1000_nic(const struct guest* guest, struct nic_options options);
