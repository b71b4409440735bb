/// <linux/virtio_net.h>, fit for C++: it has a member called `class`, which is `command_class` here.
#pragma once

#define class command_class
#include <linux/virtio_net.h>
#undef class

static_assert(sizeof(virtio_net_hdr_v1) == 12);
static_assert(sizeof(virtio_net_ctrl_hdr) == 2);
