/// Single instructions.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/// What an interrupt handler calls saves every register that it changes; inlined, that is nothing.
#define for_interrupts __attribute__((no_caller_saved_registers))

static inline void out8(uint16_t port, uint8_t value) {
  asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
static inline void out16(uint16_t port, uint16_t value) {
  asm volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}
static inline void out32(uint16_t port, uint32_t value) {
  asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

for_interrupts static inline uint8_t in8(uint16_t port) {
  uint8_t value;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline uint16_t in16(uint16_t port) {
  uint16_t value;
  asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
static inline uint32_t in32(uint16_t port) {
  uint32_t value;
  asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline void in_string16(uint16_t port, void* words, uint64_t count) {
  asm volatile("rep insw" : "+D"(words), "+c"(count) : "d"(port) : "memory");
}
static inline void out_string16(uint16_t port, const void* words, uint64_t count) {
  asm volatile("rep outsw" : "+S"(words), "+c"(count) : "d"(port) : "memory");
}
static inline void out_string8(uint16_t port, const void* bytes, uint64_t count) {
  asm volatile("rep outsb" : "+S"(bytes), "+c"(count) : "d"(port) : "memory");
}

for_interrupts static inline uint32_t mmio_read32(uint64_t address) {
  return *(volatile const uint32_t*)address;
}
for_interrupts static inline void mmio_write32(uint64_t address, uint32_t value) {
  *(volatile uint32_t*)address = value;
}

static inline uint8_t mmio_read8(uint64_t address) {
  return *(volatile const uint8_t*)address;
}

static inline void copy_bytes(void* to, const void* from, uint64_t count) {
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

static inline void copy_words(void* to, const void* from, uint64_t count) {
  asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}
static inline void fill_words(void* to, uint64_t value, uint64_t count) {
  asm volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(value) : "memory");
}

/// How many words from the end of the two the first difference is: 0 where they are equal.
static inline uint64_t compare_words(const void* left, const void* right, uint64_t count) {
  bool equal;
  asm volatile("cmp %%eax, %%eax\n\trepe cmpsq"  // equal, should there be no word at all
               : "+S"(left), "+D"(right), "+c"(count), "=@cce"(equal)
               :
               : "memory");
  return equal ? 0 : count + 1;
}

for_interrupts static inline uint64_t read_msr(uint32_t msr) {
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

/// Orders a store before later loads; the CPU keeps every other order by itself.
static inline void fence(void) {
  asm volatile("mfence" : : : "memory");
}
/// Keeps the compiler from moving accesses of memory that a device shares.
static inline void compiler_fence(void) {
  asm volatile("" : : : "memory");
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
