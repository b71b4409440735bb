#include "lib/result.h"

#include "lib/print.h"

bool result_wanted(const struct guest* guest) {
  static const char* const ways[] = {"table", "result", 0};
  return option_choice(guest, "print", ways) == 1;
}

void result_begin(const char* arm) {
  print_text("result arm=");
  print_text(arm);
}

void result_begin_numbered(const char* name, uint64_t number) {
  result_begin(name);
  print_text("-");
  print_number(number);
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
  result_number("min", summary.least);
  result_number("p50", summary.p50);
  result_number("p99", summary.p99);
  result_number("max", summary.most);
  result_number("sd", summary.deviation);
}

void result_line(const char* arm, struct latencies* latencies) {
  result_begin(arm);
  result_latencies(latencies);
  result_end();
}
