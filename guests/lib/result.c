#include "lib/result.h"

#include "lib/print.h"

void result_begin(const char* arm) {
  print_text("result arm=");
  print_text(arm);
}

void result_number(const char* name, uint64_t value) {
  print_text(" ");
  print_text(name);
  print_text("=");
  print_number(value);
}

void result_end(void) {
  print_line("");
}

void result_unavailable(const char* arm, const char* why) {
  print_text("unavailable arm=");
  print_text(arm);
  print_text(" why=");
  print_line(why);
}

void result_latencies(struct latencies* latencies) {
  result_number("rounds", latencies->count);
  if (!latencies->count) return;
  const struct latency_summary summary = latency_summarize(latencies);
  result_number("cycles", latencies->elapsed);
  result_number("mean", summary.mean);
  result_number("p50", summary.p50);
  result_number("p99", summary.p99);
  result_number("max", summary.most);
  result_number("sd", summary.deviation);
}
