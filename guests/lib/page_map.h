/// Pages of 4 KiB wherever the guest wants them, beside the identity map of lib/start.S: 512 from 4 GiB on.
#pragma once

#include <stdint.h>

enum { page_map_pages = 512, page_bytes = 4096 };

/// What the page's entry says besides the address (Intel SDM vol. 3, table 4-20); present is always there.
enum { page_writable = 2, page_user = 4 };

/// The linear address of page `index`, which from now on is the page at `physical`. What the CPU has cached
/// of it before is flushed.
uint64_t page_map(unsigned index, uint64_t physical, unsigned flags);
