#include "lib/exit_window.h"

#include "lib/print.h"
#include "lib/result.h"

struct tally {
  uint32_t reason;
  uint64_t count;
};
struct moment {
  uint64_t exits;
  uint32_t entries;
  struct tally table[KVMBENCH_PAGE_ENTRIES];
};

static const volatile struct kvmbench_page* page;
static bool counts_all;  // not the userspace exits alone
static struct moment before, after;

bool exit_window_prepare(void) {
  struct kvmbench_interface counts;
  if (!kvmbench_discover(&counts) || !(counts.features & KVMBENCH_FEATURE_PAGE)) return false;
  counts_all = counts.features & KVMBENCH_FEATURE_KERNEL_EXITS;
  kvmbench_keep_page(&counts, 1);
  page = kvmbench_page_of(&counts, 0);
  return true;
}

static void take(struct moment* moment) {
  if (!page) return;
  uint32_t sequence;
  do {
    sequence = kvmbench_page_begin(page);
    moment->exits = page->exits;
    moment->entries = page->entries <= KVMBENCH_PAGE_ENTRIES ? page->entries : KVMBENCH_PAGE_ENTRIES;
    for (uint32_t i = 0; i < moment->entries; ++i) {
      moment->table[i].reason = page->table[i].reason;
      moment->table[i].count = page->table[i].count;
    }
  } while (!kvmbench_page_end(page, sequence));
}

void exit_window_open(void) {
  take(&before);
}
void exit_window_close(void) {
  take(&after);
}

static uint64_t count_before(uint32_t reason) {
  for (uint32_t i = 0; i < before.entries; ++i)
    if (before.table[i].reason == reason) return before.table[i].count;
  return 0;
}

void exit_window_result(uint64_t own) {
  if (!page) return;
  if (counts_all) result_number("exits", after.exits - before.exits - own);
  for (uint32_t i = 0; i < after.entries; ++i) {
    const uint32_t reason = after.table[i].reason;
    const uint64_t count = after.table[i].count - count_before(reason);
    if (!count) continue;
    print_text(reason & KVMBENCH_USERSPACE_REASON ? " us" : " hw");
    print_number(reason & ~KVMBENCH_USERSPACE_REASON);
    print_text("=");
    print_number(count);
  }
}
