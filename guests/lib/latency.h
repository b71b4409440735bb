/// What single operations took, and what there is to say of many.
#pragma once

#include <stdint.h>

/// Cycles of each operation, those above 2^32-1 as that.
struct latencies {
  uint32_t* cycles;
  uint64_t count;
  uint64_t elapsed;  ///< cycles of all together, which overlap where several are in flight
};

static inline void latency_add(struct latencies* latencies, uint64_t cycles) {
  latencies->cycles[latencies->count++] = cycles > UINT32_MAX ? UINT32_MAX : (uint32_t)cycles;
}

/// Two lines, each of 96 characters where no number has more than ten digits: the header, and the row that
/// latency_print() gives. Cycles: elapsed per operation; the mean, p50, p99 and greatest latency; jitter as
/// the standard deviation and as p99 - p50. Percentiles are by nearest rank.
void latency_print_header(void);

/// Puts the cycles into another order. With no operation there is no line.
void latency_print(const char* name, struct latencies* latencies);

struct latency_summary {
  uint64_t mean, least, p50, p99, most, deviation;
};

/// Of one operation at least. Puts the cycles into another order.
struct latency_summary latency_summarize(struct latencies* latencies);
