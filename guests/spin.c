// @spin: runs forever and causes no exit. No options.
#include "lib/guest.h"

const char* const guest_option_keys[] = {0};

int guest_main(const struct guest* guest) {
  (void)guest;
  for (;;) asm volatile("");
}
