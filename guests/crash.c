// @crash: ends in a triple fault: an invalid opcode while the IDT is empty. No options.
#include "lib/cpu.h"
#include "lib/guest.h"
#include "lib/print.h"

const char* const guest_option_keys[] = {0};

int guest_main(const struct guest* guest) {
  (void)guest;
  print_line("A triple fault follows.");
  load_idt(0, 0);
  asm volatile("ud2");
  return status_failed;
}
