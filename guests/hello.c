// @hello: prints one line and ends with status 0. No options.
#include "lib/guest.h"
#include "lib/print.h"

const char* const guest_option_keys[] = {0};

int guest_main(const struct guest* guest) {
  (void)guest;
  print_line("Hello from inside the virtual machine.");
  return status_ok;
}
