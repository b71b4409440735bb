// Preloaded (LD_PRELOAD) into any virtual machine monitor, it counts how often KVM_RUN has returned: by exit
// reason, and by the phase that the guest had begun by its last byte to port 0x80. At the end it writes a
// line "PHASE REASON COUNT" for each, in decimal, to the file that COUNT_EXITS names; a KVM_RUN that failed
// has the reason 255. The machine is to have one vCPU.
#define _GNU_SOURCE
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { phases = 256, reasons = 256, failed = 255, port_phase_mark = 0x80 };
enum { shared_size = 8192 };  // struct kvm_run, and the page behind it with the data of port I/O

static unsigned long counts[phases][reasons];
static unsigned phase;
static int vcpu_fd = -1;
static const struct kvm_run* vcpu;

static void begin_phase(void) {
  const unsigned char* shared = (const unsigned char*)vcpu;
  if (vcpu->exit_reason != KVM_EXIT_IO || vcpu->io.port != port_phase_mark) return;
  if (vcpu->io.direction == KVM_EXIT_IO_OUT && vcpu->io.data_offset < shared_size)
    phase = shared[vcpu->io.data_offset];
}

static long run(int fd, unsigned long argument) {
  if (fd != vcpu_fd) {
    void* shared = mmap(NULL, shared_size, PROT_READ, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED) abort();
    vcpu = shared;
    vcpu_fd = fd;
  }
  const long result = syscall(SYS_ioctl, fd, KVM_RUN, argument);
  const unsigned reason = result == 0 ? vcpu->exit_reason : failed;
  ++counts[phase][reason < reasons ? reason : failed];
  if (result == 0) begin_phase();
  return result;
}

int ioctl(int fd, unsigned long request, ...) {
  va_list list;
  va_start(list, request);
  const unsigned long argument = va_arg(list, unsigned long);
  va_end(list);
  return (int)(request == KVM_RUN ? run(fd, argument) : syscall(SYS_ioctl, fd, request, argument));
}

__attribute__((destructor)) static void write_counts(void) {
  if (!vcpu) return;  // a program before the monitor, such as timeout
  const char* path = getenv("COUNT_EXITS");
  FILE* file = path ? fopen(path, "w") : NULL;
  if (!file) return;
  for (unsigned i = 0; i < phases; ++i)
    for (unsigned reason = 0; reason < reasons; ++reason)
      if (counts[i][reason]) fprintf(file, "%u %u %lu\n", i, reason, counts[i][reason]);
  fclose(file);
}
