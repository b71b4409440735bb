#include "lib/latency.h"

#include "lib/print.h"
#include "lib/user_mode.h"

enum { name_width = 8, column_width = 11 };

// Hoare's selection: the value that a sort would bring to `rank`, with linear work.
static uint32_t select(uint32_t* values, uint64_t count, uint64_t rank) {
  int64_t low = 0, high = (int64_t)count - 1;
  const int64_t wanted = (int64_t)rank;
  while (low < high) {
    const uint32_t pivot = values[wanted];
    int64_t i = low, j = high;
    while (i <= j) {
      while (values[i] < pivot) ++i;
      while (values[j] > pivot) --j;
      if (i > j) break;
      const uint32_t swapped = values[i];
      values[i++] = values[j];
      values[j--] = swapped;
    }
    if (j < wanted) low = i;
    if (wanted < i) high = j;
  }
  return values[wanted];
}

static uint32_t percentile(const struct latencies* latencies, uint64_t percent) {
  return select(latencies->cycles, latencies->count, (latencies->count * percent + 99) / 100 - 1);
}

// 64 quotient bits, of a dividend that has no more than `divisor` times as many.
static uint64_t divide(unsigned __int128 dividend, uint64_t divisor) {
  uint64_t quotient, remainder;
  asm("divq %4"
      : "=a"(quotient), "=d"(remainder)
      : "a"((uint64_t)dividend), "d"((uint64_t)(dividend >> 64)), "r"(divisor)
      : "cc");
  return quotient;
}

static uint64_t square_root(uint64_t value) {
  uint64_t root = 0;
  for (uint64_t bit = 1ull << 31; bit; bit >>= 1)
    if ((root | bit) * (root | bit) <= value) root |= bit;
  return root;
}

static uint64_t standard_deviation(const struct latencies* latencies, uint64_t mean) {
  unsigned __int128 sum = 0;
  for (uint64_t i = 0; i < latencies->count; ++i) {
    const uint64_t cycles = latencies->cycles[i];
    const uint64_t distance = cycles > mean ? cycles - mean : mean - cycles;
    sum += distance * distance;
  }
  return square_root(divide(sum, latencies->count));
}

void latency_print_header(void) {
  static const char* const columns[] = {"count", "each", "mean", "p50", "p99", "max", "deviation", "p99-p50"};
  print_text_padded("cycles", name_width);
  for (unsigned i = 0; i < sizeof columns / sizeof columns[0]; ++i) {
    unsigned length = 0;
    while (columns[i][length]) ++length;
    print_text_padded("", column_width - length);
    print_text(columns[i]);
  }
  print_line("");
}

struct work {
  struct latencies* latencies;
  struct latency_summary summary;
};

static void summarize(void* argument) {
  struct work* work = argument;
  struct latencies* latencies = work->latencies;
  struct latency_summary* summary = &work->summary;
  uint64_t sum = 0;
  summary->least = UINT64_MAX;
  for (uint64_t i = 0; i < latencies->count; ++i) {
    sum += latencies->cycles[i];
    if (latencies->cycles[i] < summary->least) summary->least = latencies->cycles[i];
    if (latencies->cycles[i] > summary->most) summary->most = latencies->cycles[i];
  }
  summary->mean = sum / latencies->count;
  summary->deviation = standard_deviation(latencies, summary->mean);
  summary->p50 = percentile(latencies, 50);
  summary->p99 = percentile(latencies, 99);
}

struct latency_summary latency_summarize(struct latencies* latencies) {
  struct work work = {.latencies = latencies};
  user_mode_call(summarize, &work);
  return work.summary;
}

void latency_print(const char* name, struct latencies* latencies) {
  const uint64_t count = latencies->count;
  if (!count) return;
  const struct latency_summary of = latency_summarize(latencies);
  const uint64_t figures[] = {
      count, latencies->elapsed / count, of.mean, of.p50, of.p99, of.most, of.deviation, of.p99 - of.p50};
  print_text_padded(name, name_width);
  for (unsigned i = 0; i < sizeof figures / sizeof figures[0]; ++i)
    print_number_padded(figures[i], column_width);
  print_line("");
}
