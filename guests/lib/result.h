/// Figures for the experiments of `kvmbench bench`, as lines on the first serial port. They are printed after
/// what is measured, in a phase of its own:
///
///     result arm=cpuid rounds=1000 cycles=123456 p50=120
///     unavailable arm=tsx why=this CPU has no RTM
///
/// Names are of a-z, 0-9, - and _, at most 40 characters; a line has at most 64 numbers, and an arm one line.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/guest.h"
#include "lib/latency.h"

/// What the option print= asks for: table (false, the default) or result.
bool result_wanted(const struct guest* guest);

void result_begin(const char* arm);
/// "rate-1000": a name and a number.
void result_begin_numbered(const char* name, uint64_t number);
void result_number(const char* name, uint64_t value);
void result_end(void);

/// What this host cannot do. `why` goes to the end of the line; at most 200 characters.
void result_unavailable(const char* arm, const char* why);

/// rounds, cycles (of all together), mean, min, p50, p99, max and sd (standard deviation), in cycles: within
/// a line that is begun. Puts the latencies into another order. Of none only rounds=0.
void result_latencies(struct latencies* latencies);

/// A line of nothing else.
void result_line(const char* arm, struct latencies* latencies);
