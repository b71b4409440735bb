/// Text on the first serial port. Every byte is one OUT to its data register and nothing else: the port is
/// neither set up nor polled (LSR), so that the number of exits is the number of bytes. Virtual ports take
/// bytes at any rate.
#pragma once

#include <stdint.h>

enum { port_serial_data = 0x3f8 };

void print_bytes(const char* bytes, uint64_t count);
void print_text(const char* text);

/// Ends the line by CR LF, as a serial terminal needs it.
void print_line(const char* text);

void print_number(uint64_t value);

/// Fills with spaces to `width`: on the right side of a text, on the left of a number. Longer ones are not
/// cut.
void print_text_padded(const char* text, unsigned width);
void print_number_padded(uint64_t value, unsigned width);

/// Without a prefix and without leading zeros.
void print_hex(uint64_t value);
