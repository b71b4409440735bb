#include "lib/clock.h"

#include <stdbool.h>

#include "lib/cpu.h"

// Documentation/virt/kvm/x86/msr.rst: MSR_KVM_SYSTEM_TIME_NEW and the structure that KVM fills in at its
// address.
struct pvclock_time_info {
  uint32_t version, pad;
  uint64_t tsc_timestamp, system_time;
  uint32_t tsc_to_system_mul;
  int8_t tsc_shift;
  uint8_t flags, pad2[2];
} __attribute__((aligned(32)));

static bool is_kvm_with_clock(void) {
  const uint32_t hypervisor_present = 1u << 31;
  if (!(cpuid(1).ecx & hypervisor_present)) return false;
  // "KVMKVMKVM\0\0\0"; Documentation/virt/kvm/x86/cpuid.rst.
  const struct cpuid signature = cpuid(0x40000000);
  if (signature.ebx != 0x4b4d564b || signature.ecx != 0x564b4d56 || signature.edx != 0x4d) return false;
  const uint32_t feature_clocksource2 = 1u << 3;
  return cpuid(0x40000001).eax & feature_clocksource2;
}

static uint64_t khz_by_kvm(void) {
  static volatile struct pvclock_time_info info;
  if (!is_kvm_with_clock()) return 0;
  const uint32_t msr_system_time_new = 0x4b564d01;
  write_msr(msr_system_time_new, (uint64_t)&info | 1);
  const uint32_t multiplier = info.tsc_to_system_mul;
  const int shift = info.tsc_shift;
  write_msr(msr_system_time_new, 0);
  if (!multiplier) return 0;
  const uint64_t khz = (1000000ull << 32) / multiplier;
  return shift < 0 ? khz << -shift : khz >> shift;
}

// Intel 8254: channel 2 counts down from a written value in mode 0; its output is bit 5 of port 0x61, its
// gate bit 0.
static uint64_t khz_by_pit(void) {
  const uint16_t count = 11932;  // 10 ms of 1.193182 MHz
  const uint8_t output = 0x20, gate = 0x01, speaker = 0x02;
  const uint64_t give_up = 1ull << 34;

  out8(0x61, (uint8_t)((in8(0x61) & ~speaker) | gate));
  out8(0x43, 0xb0);  // channel 2, low byte then high byte, mode 0
  out8(0x42, (uint8_t)count);
  out8(0x42, (uint8_t)(count >> 8));
  const uint64_t begin = read_tsc();
  if (in8(0x61) & output) return 0;  // it would be low by now if there were a PIT
  while (!(in8(0x61) & output))
    if (read_tsc() - begin > give_up) return 0;
  return (read_tsc() - begin) / 10;
}

uint64_t clock_tsc_khz(void) {
  static uint64_t khz;
  if (!khz) khz = khz_by_kvm();
  if (!khz) khz = khz_by_pit();
  if (!khz) khz = 1000000;  // neither clock is there: times are wrong by the factor that this is
  return khz;
}

void clock_delay_us(uint64_t us) {
  const uint64_t deadline = read_tsc() + clock_cycles_from_us(us);
  while (read_tsc() < deadline) pause();
}
