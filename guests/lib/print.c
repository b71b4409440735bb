#include "lib/print.h"

#include "lib/cpu.h"

static void print_byte(char byte) {
  out8(port_serial_data, (uint8_t)byte);
}

void print_bytes(const char* bytes, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) print_byte(bytes[i]);
}

void print_text(const char* text) {
  print_text_padded(text, 0);
}

void print_line(const char* text) {
  print_text(text);
  print_bytes("\r\n", 2);
}

void print_text_padded(const char* text, unsigned width) {
  unsigned length = 0;
  for (; text[length]; ++length) print_byte(text[length]);
  for (; length < width; ++length) print_byte(' ');
}

static void print_in_base(uint64_t value, unsigned base, unsigned width) {
  char digits[20];  // those of 2^64-1
  unsigned length = 0;
  do {
    digits[length++] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value);
  for (unsigned i = length; i < width; ++i) print_byte(' ');
  while (length) print_byte(digits[--length]);
}

void print_number(uint64_t value) {
  print_in_base(value, 10, 0);
}
void print_number_padded(uint64_t value, unsigned width) {
  print_in_base(value, 10, width);
}
void print_hex(uint64_t value) {
  print_in_base(value, 16, 0);
}
