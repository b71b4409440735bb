/// Single instructions.
#pragma once

#include <stdint.h>

static inline void out8(uint16_t port, uint8_t value) {
  asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
static inline void out16(uint16_t port, uint16_t value) {
  asm volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}
static inline void out32(uint16_t port, uint32_t value) {
  asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port) {
  uint8_t value;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline void out_string8(uint16_t port, const void* bytes, uint64_t count) {
  asm volatile("rep outsb" : "+S"(bytes), "+c"(count) : "d"(port) : "memory");
}

static inline uint32_t mmio_read32(uint64_t address) {
  return *(volatile const uint32_t*)address;
}
static inline void mmio_write32(uint64_t address, uint32_t value) {
  *(volatile uint32_t*)address = value;
}

static inline void copy_bytes(void* to, const void* from, uint64_t count) {
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

static inline uint64_t read_msr(uint32_t msr) {
  uint32_t low, high;
  asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
  return (uint64_t)high << 32 | low;
}

static inline void write_msr(uint32_t msr, uint64_t value) {
  asm volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

struct cpuid {
  uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf) {
  struct cpuid answer;
  asm volatile("cpuid"
               : "=a"(answer.eax), "=b"(answer.ebx), "=c"(answer.ecx), "=d"(answer.edx)
               : "a"(leaf), "c"(0));
  return answer;
}

static inline uint64_t read_tsc(void) {
  uint32_t low, high;
  asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
  return (uint64_t)high << 32 | low;
}

static inline uint64_t read_cr2(void) {
  uint64_t value;
  asm volatile("mov %%cr2, %0" : "=r"(value));
  return value;
}

static inline void load_idt(const void* table, uint16_t limit) {
  const struct __attribute__((packed)) {
    uint16_t limit;
    uint64_t base;
  } descriptor = {limit, (uint64_t)table};
  asm volatile("lidt %0" : : "m"(descriptor));
}

static inline void pause(void) {
  asm volatile("pause" : : : "memory");
}
static inline void enable_interrupts(void) {
  asm volatile("sti" : : : "memory");
}
static inline void disable_interrupts(void) {
  asm volatile("cli" : : : "memory");
}
static inline void halt(void) {
  asm volatile("hlt" : : : "memory");
}

/// Enables interrupts for a HLT and no longer. One that is pending already ends the HLT, which is in the
/// shadow of STI.
static inline void halt_until_interrupt(void) {
  asm volatile("sti\n\thlt\n\tcli" : : : "memory");
}
