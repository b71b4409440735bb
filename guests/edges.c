// @edges: the exit-count interface where a guest does not use it as it is meant (docs/guest-interface.md).
//
//   memory=BYTES  size of the machine's memory below the hole, for request blocks at its end (none without
//   it) cpus=N        that many CPUs query at the same time (default all)
//
// It prints what is not as specified, and ends with status 0 if there is nothing.
#include "lib/cpu.h"
#include "lib/guest.h"
#include "lib/interrupts.h"
#include "lib/kvmbench_guest.h"
#include "lib/print.h"
#include "lib/smp.h"

const char* const guest_option_keys[] = {"memory", "cpus", 0};

enum { io = KVMBENCH_USERSPACE_REASON + 2, rounds = 200 };

static struct kvmbench_interface counts;
static unsigned failures;

static void expect(const char* what, bool holds) {
  if (holds) return;
  ++failures;
  print_text("WRONG: ");
  print_line(what);
}

static bool is(struct kvmbench_answer answer, uint32_t eax, uint32_t ebx, uint32_t ecx, uint32_t edx) {
  return answer.eax == eax && answer.ebx == ebx && answer.ecx == ecx && answer.edx == edx;
}

static bool marked(uint32_t leaf, uint32_t reason, uint32_t mark) {
  return is(kvmbench_ask(&counts, leaf, reason), 0, 0, 0, mark);
}

// Queries
// -----------------------------------------------------------------------------------------------------------

static void check_hardware_reason(uint32_t leaf, uint32_t undefined, uint32_t defined) {
  const bool counted = counts.features & KVMBENCH_FEATURE_HARDWARE;
  const bool known = kvmbench_vendor(&counts) != 0;
  expect("undefined hardware reason",
         marked(leaf, undefined, known ? KVMBENCH_UNDEFINED : KVMBENCH_NOT_COUNTED));
  if (!counted) expect("hardware reason that nothing counts", marked(leaf, defined, KVMBENCH_NOT_COUNTED));
  if (counted && leaf == KVMBENCH_LEAF_COUNT) {
    expect("counted hardware reason", kvmbench_ask(&counts, leaf, defined).ecx == defined);
  }
}

static void check_queries(void) {
  static const uint32_t leaves[] = {KVMBENCH_LEAF_COUNT, KVMBENCH_LEAF_CYCLES, KVMBENCH_LEAF_SPREAD};
  const bool svm = kvmbench_vendor(&counts) == KVMBENCH_VENDOR_SVM;
  for (unsigned i = 0; i < sizeof leaves / sizeof *leaves; ++i) {
    check_hardware_reason(leaves[i], svm ? 0x404 : 35, svm ? 0x7b : 30);
    if (kvmbench_vendor(&counts) == KVMBENCH_VENDOR_VMX) {
      const uint32_t io_smi = 5;  // out of system-management mode, which no KVM sees
      expect("hardware reason that is never enabled", marked(leaves[i], io_smi, 0));
    }
    expect("undefined userspace reason",
           marked(leaves[i], KVMBENCH_USERSPACE_REASON + 64, KVMBENCH_UNDEFINED));
  }
  expect("undefined leaf", marked(KVMBENCH_LEAF_SPREAD - 1, io, KVMBENCH_UNDEFINED));
  expect("leaf 0", marked(0, io, KVMBENCH_UNDEFINED));

  const uint32_t never = KVMBENCH_USERSPACE_REASON + 63;
  expect("reason without an exit", is(kvmbench_ask(&counts, KVMBENCH_LEAF_COUNT, never), 0, 0, never, 0));
  expect("spread of no exit", is(kvmbench_ask(&counts, KVMBENCH_LEAF_SPREAD, never), 0, 0, 0, 0));
  const struct kvmbench_answer spread = kvmbench_ask(&counts, KVMBENCH_LEAF_SPREAD, io);
  expect("spread in order",
         spread.eax && spread.eax <= spread.ebx && spread.ebx <= spread.ecx && spread.ecx <= spread.edx);
}

static volatile unsigned protection_faults;

// Goes on behind the RDMSR or WRMSR, which are two bytes.
__attribute__((interrupt)) static void on_general_protection(struct interrupt_frame* frame, uint64_t error) {
  (void)error;
  ++protection_faults;
  *(volatile uint64_t*)&frame->rip += 2;  // clang takes the frame for a copy, and the store for a dead one
}

static bool read_faults(uint32_t index) {
  const unsigned before = protection_faults;
  (void)kvmbench_read_msr(&counts, index);
  return protection_faults == before + 1;
}

static bool write_faults(uint32_t index) {
  const unsigned before = protection_faults;
  asm volatile("wrmsr" : : "c"(counts.first_msr + index), "a"(0), "d"(0));
  return protection_faults == before + 1;
}

static void check_faults(void) {
  enum { general_protection = 13 };
  interrupts_set_exception_handler(general_protection, on_general_protection);
  if (!(counts.features & KVMBENCH_FEATURE_MSR)) {
    // As any MSR that nobody has; whether that faults, a parameter of the host's KVM says (ignore_msrs).
    counts.first_msr = KVMBENCH_DEFAULT_MSR;
    expect("RDMSR where there are none", read_faults(KVMBENCH_MSR_ALL) == read_faults(KVMBENCH_MSR_COUNT));
    return;
  }
  expect("RDMSR of the first MSR", !read_faults(KVMBENCH_MSR_ALL));
  expect("RDMSR of the last one", !read_faults(KVMBENCH_MSR_COUNT - 1));
  expect("RDMSR behind the totals", read_faults(KVMBENCH_MSR_ALL_CYCLES + 1));
  expect("RDMSR before the first group", read_faults(KVMBENCH_MSR_HARDWARE - 1));
  expect("WRMSR of the first MSR", write_faults(KVMBENCH_MSR_ALL));
  expect("WRMSR of a count", write_faults(KVMBENCH_MSR_USERSPACE + 2));
  expect("WRMSR of the last one", write_faults(KVMBENCH_MSR_COUNT - 1));
}

static void check_msrs(void) {
  if (!(counts.features & KVMBENCH_FEATURE_MSR)) return;
  const bool svm = kvmbench_vendor(&counts) == KVMBENCH_VENDOR_SVM;
  const uint32_t undefined = svm ? 0xff : 35;
  const uint32_t mark = kvmbench_vendor(&counts) ? KVMBENCH_UNDEFINED : KVMBENCH_NOT_COUNTED;
  expect("MSR of an undefined reason",
         kvmbench_read_msr(&counts, KVMBENCH_MSR_HARDWARE + undefined) == (uint64_t)mark << 32);
  expect("MSR of an undefined userspace reason",
         kvmbench_read_msr(&counts, KVMBENCH_MSR_USERSPACE + 64) == (uint64_t)KVMBENCH_UNDEFINED << 32);
  expect("MSR of a reason without an exit", kvmbench_read_msr(&counts, KVMBENCH_MSR_USERSPACE + 63) == 0);
}

// Ports
// -------------------------------------------------------------------------------------------------------------

static void check_widths(void) {
  const uint16_t answer = kvmbench_port(&counts, KVMBENCH_PORT_ANSWER);
  const uint16_t reason = kvmbench_port(&counts, KVMBENCH_PORT_REASON);
  kvmbench_set_leaf(&counts, KVMBENCH_LEAF_COUNT);
  kvmbench_out(reason, KVMBENCH_USERSPACE_REASON + 63);
  expect("8-bit read", in8(answer) == 0xff);
  expect("16-bit read", in16(answer) == 0xffff);
  expect("unaligned read", kvmbench_in((uint16_t)(answer + 1)) == 0xffffffff);
  out8(reason, 0);
  out16(reason, 0);
  kvmbench_out((uint16_t)(reason + 2), 0);
  uint32_t words[5];
  for (unsigned i = 0; i < 5; ++i) words[i] = kvmbench_in(answer);
  expect("answer after accesses of other widths",
         words[0] == 0 && words[2] == KVMBENCH_USERSPACE_REASON + 63);
  expect("fifth word is the first", words[4] == words[0] && words[3] == 0);
  expect("reading a register that is only written", kvmbench_in(reason) == 0xffffffff);
  expect("reserved register", kvmbench_in(kvmbench_port(&counts, 28)) == 0xffffffff);
}

static void check_no_queries(void) {
  for (uint32_t offset = 0; offset <= KVMBENCH_PORT_BLOCK; offset += 4) {
    const uint16_t port = kvmbench_port(&counts, offset);
    kvmbench_out(port, KVMBENCH_LEAF_COUNT);
    expect("register of a query where there are none", kvmbench_in(port) == 0xffffffff);
  }
}

static void check_page_register(void) {
  const uint16_t port = kvmbench_port(&counts, KVMBENCH_PORT_PAGE);
  if (!(counts.features & KVMBENCH_FEATURE_PAGE)) {
    kvmbench_out(port, 1);
    expect("register of a page where there is none", kvmbench_in(port) == 0xffffffff);
    return;
  }
  expect("page that nobody has asked for", kvmbench_in(port) == 0);
  kvmbench_out(port, 2);
  expect("page after a write of 2", kvmbench_in(port) == 0);
  kvmbench_out(port, 1);
  expect("page that is kept", kvmbench_in(port) == 1);
  kvmbench_out(port, 3);
  expect("page that is kept, after a write of 3", kvmbench_in(port) == 1);
  kvmbench_out(port, 0);
  expect("page that is kept no longer", kvmbench_in(port) == 0);
}

// What a guest writes into its page spoils its own view alone, until the host writes it again.
static void check_spoiled_page(void) {
  const bool mapped = counts.first_page + counts.page_bytes <= 1ull << 32;
  if (!(counts.features & KVMBENCH_FEATURE_PAGE) || !mapped) return;
  volatile struct kvmbench_page* const page = (volatile struct kvmbench_page*)counts.first_page;
  kvmbench_keep_page(&counts, 1);
  page->sequence = 0xffffffff;
  page->entries = 0xffffffff;
  page->exits = 0;
  out8(port_unclaimed, 0);
  uint64_t first, second, cycles;
  kvmbench_page_read(page, io, &first, &cycles);
  expect("exits of a page that is written anew", page->exits > 0 && page->entries <= KVMBENCH_PAGE_ENTRIES);
  out8(port_unclaimed, 0);
  kvmbench_page_read(page, io, &second, &cycles);
  expect("count of a page that is written anew", first > 0 && second == first + 1);
  kvmbench_keep_page(&counts, 0);
  const uint64_t last = page->exits;
  out8(port_unclaimed, 0);
  expect("exits of a page that is kept no longer", page->exits == last);
}

// Request blocks
// ----------------------------------------------------------------------------------------------------

static uint32_t ask_block(uint64_t address) {
  kvmbench_ask_block(&counts, (uint32_t)address);
  return kvmbench_in(kvmbench_port(&counts, KVMBENCH_PORT_BLOCK));
}

static void fill(volatile struct kvmbench_request* block, unsigned entries) {
  for (unsigned i = 0; i <= entries; ++i) {
    block[i].leaf = i < entries ? KVMBENCH_LEAF_COUNT : 0;
    block[i].reason = io;
    block[i].eax = block[i].ebx = block[i].ecx = block[i].edx = 0x5a5a5a5a;
  }
}

static bool untouched(const volatile struct kvmbench_request* entry) {
  return entry->eax == 0x5a5a5a5a && entry->ebx == 0x5a5a5a5a && entry->ecx == 0x5a5a5a5a &&
         entry->edx == 0x5a5a5a5a;
}

static void check_blocks(void) {
  static volatile struct kvmbench_request block[KVMBENCH_BLOCK_MAX + 2];
  const uint64_t address = (uint64_t)block;

  fill(block, KVMBENCH_BLOCK_MAX);
  expect("longest block", ask_block(address) == KVMBENCH_BLOCK_DONE);
  expect("its last entry", block[KVMBENCH_BLOCK_MAX - 1].ecx == io && block[KVMBENCH_BLOCK_MAX].eax == 1024);
  expect("one instant", block[0].eax == block[KVMBENCH_BLOCK_MAX - 1].eax && block[0].eax != 0);

  fill(block, KVMBENCH_BLOCK_MAX + 1);
  expect("block without end", ask_block(address) == KVMBENCH_BLOCK_ENDLESS);
  expect("its first entry", kvmbench_block_status(block) == KVMBENCH_BLOCK_ENDLESS && untouched(&block[1]));

  fill(block, 2);
  expect("misaligned block", ask_block(address + 2) == KVMBENCH_BLOCK_MISALIGNED);
  fill(block, 0);
  expect("empty block", ask_block(address) == KVMBENCH_BLOCK_DONE && block[0].eax == 0);

  expect("block where there is nothing", ask_block(address_unclaimed_read & ~3ull) == KVMBENCH_BLOCK_NOT_RAM);
  expect("block over a local APIC", ask_block(0xfee00000) == KVMBENCH_BLOCK_NOT_RAM);
  expect("block at the end of addresses", ask_block(0xfffffffc) == KVMBENCH_BLOCK_NOT_RAM);
  if (counts.features & KVMBENCH_FEATURE_PAGE && counts.first_page < 1ull << 32) {
    const uint32_t magic = kvmbench_page_of(&counts, 0)->magic;
    expect("block over the page of counts", ask_block(counts.first_page) == KVMBENCH_BLOCK_NOT_RAM);
    expect("page after that", magic == kvmbench_page_of(&counts, 0)->magic && magic == KVMBENCH_PAGE_MAGIC);
  }
}

static void check_end_of_memory(uint64_t end) {
  volatile struct kvmbench_request* const last = (volatile struct kvmbench_request*)(end - 2 * sizeof *last);
  fill(last, 1);
  expect("block that ends with memory", ask_block((uint64_t)last) == KVMBENCH_BLOCK_DONE && last->ecx == io);
  fill(last, 1);
  last[1].leaf = KVMBENCH_LEAF_ALL;
  expect("block past the end of memory", ask_block((uint64_t)last) == KVMBENCH_BLOCK_NOT_RAM);
  expect("its first entry", kvmbench_block_status(last) == KVMBENCH_BLOCK_NOT_RAM && untouched(&last[1]));
  expect("entry half in memory", ask_block(end - 12) == KVMBENCH_BLOCK_NOT_RAM);
}

// Several vCPUs
// -----------------------------------------------------------------------------------------------------

static volatile bool begin;
static volatile unsigned wrong[cpus_max];
static volatile bool done[cpus_max];

// Each CPU asks for a reason of its own, which the answer repeats.
static void query_at_once(uint32_t index) {
  const uint32_t reason = KVMBENCH_USERSPACE_REASON + index % KVMBENCH_USERSPACE_REASONS;
  kvmbench_set_leaf(&counts, KVMBENCH_LEAF_COUNT);
  for (unsigned i = 0; i < rounds; ++i)
    if (kvmbench_ask_leaf(&counts, reason).ecx != reason) ++wrong[index];
  done[index] = true;
}

static void on_application_processor(struct cpu* cpu) {
  while (!begin) pause();
  query_at_once(cpu->index);
  for (;;) halt();
}

static void check_concurrent_queries(unsigned cpus) {
  begin = true;
  query_at_once(0);
  for (unsigned i = 0; i < cpus; ++i) {
    while (!done[i]) pause();
    expect("queries of several vCPUs at once", wrong[i] == 0);
  }
}

int guest_main(const struct guest* guest) {
  const uint64_t memory = option_number(guest, "memory", 0, 4 << 20, 0xc0000000);
  const unsigned wanted = (unsigned)option_number(guest, "cpus", 0, 1, cpus_max);
  if (!kvmbench_discover(&counts))
    guest_fail("this machine has no exit-count interface: it is no kvmbench guest");

  check_msrs();
  check_faults();
  check_page_register();
  check_spoiled_page();
  if (counts.features & KVMBENCH_FEATURE_PORT) {
    check_queries();
    check_widths();
    check_blocks();
    if (memory) check_end_of_memory(memory);
    check_concurrent_queries(smp_start(guest, wanted, on_application_processor));
  } else {
    check_no_queries();
  }
  if (failures == 0) print_line("the exit-count interface is as specified");
  return failures == 0 ? status_ok : status_failed;
}
