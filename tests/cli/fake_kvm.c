// Preloaded (LD_PRELOAD), it makes a host out of this one that lacks something. By the environment:
//
//   FAKE_KVM_OPEN=ERRNO         opening /dev/kvm fails with it
//   FAKE_KVM_DEVICE=PATH        /dev/kvm is this file; what is asked of it is answered here
//   FAKE_KVM_API_VERSION=N      what KVM_GET_API_VERSION answers
//   FAKE_KVM_LACKS=N,N          the capabilities (KVM_CAP_*) that KVM_CHECK_EXTENSION denies
//   FAKE_KVM_FAIL=REQUEST:ERRNO this ioctl fails
//   FAKE_KVM_EXIT=REASON:VALUE  the first KVM_RUN returns with this reason, and this as its first datum
//   FAKE_KVM_COUNT=PATH         at the end, how often KVM_RUN has returned is written there
//   FAKE_CPUINFO=PATH           /proc/cpuinfo is this file
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *device, *lacks, *count_file, *cpuinfo;
static long open_error, api_version, failing_request, failing_error, exit_reason;
static unsigned long long exit_value;
static atomic_ulong run_returns;
static atomic_int exit_made;
static struct kvm_run* _Atomic last_shared;  // the vCPU's, as there is one and it is mapped last

static long number(const char* name) {
  const char* text = getenv(name);
  return text ? strtol(text, NULL, 0) : 0;
}

__attribute__((constructor)) static void read_environment(void) {
  device = getenv("FAKE_KVM_DEVICE");
  lacks = getenv("FAKE_KVM_LACKS");
  count_file = getenv("FAKE_KVM_COUNT");
  cpuinfo = getenv("FAKE_CPUINFO");
  open_error = number("FAKE_KVM_OPEN");
  api_version = number("FAKE_KVM_API_VERSION");
  failing_request = number("FAKE_KVM_FAIL");
  const char* fail = getenv("FAKE_KVM_FAIL");
  if (fail && strchr(fail, ':')) failing_error = strtol(strchr(fail, ':') + 1, NULL, 0);
  exit_reason = number("FAKE_KVM_EXIT");
  const char* exit = getenv("FAKE_KVM_EXIT");
  if (exit && strchr(exit, ':')) exit_value = strtoull(strchr(exit, ':') + 1, NULL, 0);
}

__attribute__((destructor)) static void write_count(void) {
  if (!count_file) return;
  FILE* file = fopen(count_file, "w");
  if (!file) return;
  fprintf(file, "%lu\n", atomic_load(&run_returns));
  fclose(file);
}

static int lacking(unsigned long capability) {
  for (const char* at = lacks; at && *at;) {
    char* end;
    if (strtoul(at, &end, 0) == capability) return 1;
    at = *end == ',' ? end + 1 : NULL;
  }
  return 0;
}

static int fail(long error) {
  errno = (int)error;
  return -1;
}

static int make_exit(void) {
  struct kvm_run* run = atomic_load(&last_shared);
  run->exit_reason = (unsigned)exit_reason;
  memcpy(&run->hw, &exit_value, sizeof exit_value);
  return 0;
}

int ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  if (failing_error && request == (unsigned long)failing_request) return fail(failing_error);
  if (api_version && request == KVM_GET_API_VERSION) return (int)api_version;
  if (request == KVM_CHECK_EXTENSION) {
    if (lacking((unsigned long)argument)) return 0;
    if (device) return 1;
  }
  if (request == KVM_RUN && exit_reason && !atomic_exchange(&exit_made, 1)) {
    atomic_fetch_add(&run_returns, 1);
    return make_exit();
  }
  const int answer = (int)syscall(SYS_ioctl, fd, request, argument);
  if (request == KVM_RUN) atomic_fetch_add(&run_returns, 1);
  return answer;
}

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const int mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(arguments, int) : 0;
  va_end(arguments);
  if (strcmp(path, "/dev/kvm") == 0) {
    if (open_error) return fail(open_error);
    if (device) path = device;
  }
  if (cpuinfo && strcmp(path, "/proc/cpuinfo") == 0) path = cpuinfo;
  return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

void* mmap(void* at, size_t size, int protection, int flags, int fd, off_t offset) {
  void* mapped = (void*)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
  if (mapped != MAP_FAILED && fd >= 0 && (flags & MAP_SHARED) != 0) atomic_store(&last_shared, mapped);
  return mapped;
}
