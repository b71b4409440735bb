// @self: the guest reads its own exit counts, around a piece of work whose exits it knows, by each of the
// four ways that kvmbench offers (docs/guest-interface.md), and prints what one reading costs by each.
//
//   n=N  rounds of the work: N port writes and N MMIO reads (default 200)
//
// Where the host traces the hardware's exits, those for port instructions are read as well.
//
// It ends with status 0 if every way counts the work exactly and all of them agree.
#include "lib/cpu.h"
#include "lib/guest.h"
#include "lib/kvmbench_guest.h"
#include "lib/print.h"

const char* const guest_option_keys[] = {"n", 0};

enum { exit_io = 2, exit_mmio = 6, exit_rdmsr = 29 };  // KVM_EXIT_* of linux/kvm.h

// VMX basic exit reason (Intel SDM vol. 3, appendix C), SVM exit code (AMD APM vol. 2, appendix C)
enum { vmx_io_instruction = 30, svm_ioio = 0x7b };

struct reading {
  uint64_t all, cycles, io, mmio, rdmsr;
  uint64_t ports, ports_cycles;  // of the hardware's exits for port instructions; 0 where nothing counts them
};

static struct kvmbench_interface counts;
static const volatile struct kvmbench_page* page;
static bool traced;           // whether the hardware's exits are counted
static uint32_t port_reason;  // theirs for a port instruction
static bool failed;

// The four ways
// -----------------------------------------------------------------------------------------------------

static uint64_t ask_count(uint32_t n) {
  const struct kvmbench_answer answer = kvmbench_ask_leaf(&counts, KVMBENCH_USERSPACE_REASON + n);
  return kvmbench_u64(answer.ebx, answer.eax);
}

static void read_by_port(struct reading* to) {
  const struct kvmbench_answer all = kvmbench_ask(&counts, KVMBENCH_LEAF_ALL, 0);
  to->all = kvmbench_u64(all.edx, all.eax);
  to->cycles = kvmbench_u64(all.ebx, all.ecx);
  kvmbench_set_leaf(&counts, KVMBENCH_LEAF_COUNT);
  to->io = ask_count(exit_io);
  to->mmio = ask_count(exit_mmio);
  to->rdmsr = ask_count(exit_rdmsr);
  if (!traced) return;
  const struct kvmbench_answer count = kvmbench_ask_leaf(&counts, port_reason);
  to->ports = kvmbench_u64(count.ebx, count.eax);
  const struct kvmbench_answer time = kvmbench_ask(&counts, KVMBENCH_LEAF_CYCLES, port_reason);
  to->ports_cycles = kvmbench_u64(time.ebx, time.ecx);
}

static void read_by_block(struct reading* to) {
  static volatile struct kvmbench_request block[] = {
      {.leaf = KVMBENCH_LEAF_ALL},
      {.leaf = KVMBENCH_LEAF_COUNT, .reason = KVMBENCH_USERSPACE_REASON + exit_io},
      {.leaf = KVMBENCH_LEAF_COUNT, .reason = KVMBENCH_USERSPACE_REASON + exit_mmio},
      {.leaf = KVMBENCH_LEAF_COUNT, .reason = KVMBENCH_USERSPACE_REASON + exit_rdmsr},
      {.leaf = KVMBENCH_LEAF_COUNT},
      {.leaf = KVMBENCH_LEAF_CYCLES},
      {.leaf = 0},
  };
  block[4].reason = block[5].reason = port_reason;
  kvmbench_ask_block(&counts, (uint32_t)(uintptr_t)block);
  if (kvmbench_block_status(block) != KVMBENCH_BLOCK_DONE) guest_fail("the request block was refused");
  to->all = kvmbench_u64(block[0].edx, block[0].eax);
  to->cycles = kvmbench_u64(block[0].ebx, block[0].ecx);
  to->io = kvmbench_u64(block[1].ebx, block[1].eax);
  to->mmio = kvmbench_u64(block[2].ebx, block[2].eax);
  to->rdmsr = kvmbench_u64(block[3].ebx, block[3].eax);
  if (!traced) return;
  to->ports = kvmbench_u64(block[4].ebx, block[4].eax);
  to->ports_cycles = kvmbench_u64(block[5].ebx, block[5].ecx);
}

static void read_by_msr(struct reading* to) {
  to->all = kvmbench_read_msr(&counts, KVMBENCH_MSR_ALL);
  to->cycles = kvmbench_read_msr(&counts, KVMBENCH_MSR_ALL_CYCLES);
  to->io = kvmbench_read_msr(&counts, KVMBENCH_MSR_USERSPACE + exit_io);
  to->mmio = kvmbench_read_msr(&counts, KVMBENCH_MSR_USERSPACE + exit_mmio);
  to->rdmsr = kvmbench_read_msr(&counts, KVMBENCH_MSR_USERSPACE + exit_rdmsr);
  if (!traced) return;
  to->ports = kvmbench_read_msr(&counts, KVMBENCH_MSR_HARDWARE + port_reason);
  to->ports_cycles = kvmbench_read_msr(&counts, KVMBENCH_MSR_HARDWARE_CYCLES + port_reason);
}

static void read_by_page(struct reading* to) {
  uint32_t sequence;
  do {
    sequence = kvmbench_page_begin(page);
    to->all = page->exits;
    to->cycles = page->cycles;
    to->io = to->mmio = to->rdmsr = to->ports = to->ports_cycles = 0;
    for (uint32_t i = 0; i < page->entries && i < KVMBENCH_PAGE_ENTRIES; ++i) {
      const uint32_t reason = page->table[i].reason;
      const uint64_t count = page->table[i].count;
      if (reason == KVMBENCH_USERSPACE_REASON + exit_io) to->io = count;
      if (reason == KVMBENCH_USERSPACE_REASON + exit_mmio) to->mmio = count;
      if (reason == KVMBENCH_USERSPACE_REASON + exit_rdmsr) to->rdmsr = count;
      if (!traced || reason != port_reason) continue;
      to->ports = count;
      to->ports_cycles = page->table[i].cycles;
    }
  } while (!kvmbench_page_end(page, sequence));
}

// An answer counts the exits recorded before the one that asks, but those of the hardware with it. The exits
// of one reading are of one kind; of these, `before_own` come before the sample of that kind.
struct way {
  const char* name;
  void (*read)(struct reading*);
  uint32_t feature;
  unsigned io_exits, rdmsr_exits;
  unsigned before_own;
};
static const struct way untraced_ways[] = {
    {"page", read_by_page, KVMBENCH_FEATURE_PAGE, 0, 0, 0},
    {"block", read_by_block, KVMBENCH_FEATURE_PORT, 1, 0, 0},
    {"msr", read_by_msr, KVMBENCH_FEATURE_MSR, 0, 5, 4},
    {"port", read_by_port, KVMBENCH_FEATURE_PORT, 10, 0, 4},
};
static const struct way traced_ways[] = {
    {"page", read_by_page, KVMBENCH_FEATURE_PAGE, 0, 0, 0},
    {"block", read_by_block, KVMBENCH_FEATURE_PORT, 1, 0, 0},
    {"msr", read_by_msr, KVMBENCH_FEATURE_MSR, 0, 7, 4},
    {"port", read_by_port, KVMBENCH_FEATURE_PORT, 15, 0, 4},
};
enum { way_count = sizeof untraced_ways / sizeof *untraced_ways };
static const struct way* ways = untraced_ways;

// Exits of the hardware for port instructions, of a reading: those to user space, and `string_exits` more for
// each of the REP INS that take an answer.
static unsigned string_exits;
enum { strings = 6, strings_to_ports = 4 };

static uint64_t ports_of_reading(const struct way* way) {
  return way->io_exits + (way->read == read_by_port ? strings * string_exits : 0);
}

// Of these, up to the sample of themselves.
static uint64_t ports_to_sample(const struct way* way) {
  if (way->read != read_by_port) return way->io_exits;
  const unsigned cycles_exits = 3, answer_exits = 1;
  return way->io_exits - cycles_exits - answer_exits + strings_to_ports * string_exits;
}

// KVM goes back into the guest with a count of 0 left of a REP INS; whether that is an exit once more, the
// CPU decides.
static void find_string_exits(void) {
  kvmbench_set_leaf(&counts, KVMBENCH_LEAF_COUNT);
  const struct kvmbench_answer first = kvmbench_ask_leaf(&counts, port_reason);
  const struct kvmbench_answer second = kvmbench_ask_leaf(&counts, port_reason);
  string_exits = second.eax - first.eax == 3;
}

static bool offered(const struct way* way) {
  return counts.features & way->feature;
}

// Checks
// ------------------------------------------------------------------------------------------------------------

static void expect(const char* way, const char* what, uint64_t is, uint64_t should_be) {
  if (is == should_be) return;
  failed = true;
  print_text("  WRONG: by ");
  print_text(way);
  print_text(", ");
  print_text(what);
  print_text(" is ");
  print_number(is);
  print_text(" and should be ");
  print_number(should_be);
  print_line("");
}

static void work(uint64_t rounds) {
  for (uint64_t i = 0; i < rounds; ++i) {
    out8(port_unclaimed, 0);
    mmio_read32(address_unclaimed_read);
  }
}

static void print_cell(uint64_t value) {
  print_number_padded(value, 16);
}

static void measure_work(uint64_t rounds) {
  static struct reading before[way_count], after[way_count];
  for (unsigned i = 0; i < way_count; ++i) {
    if (!offered(&ways[i])) continue;
    ways[i].read(&before[i]);
    work(rounds);
    ways[i].read(&after[i]);
  }

  print_line("what the work and one reading caused, by each way:");
  print_text("  way         all exits          cycles              io            mmio           rdmsr");
  print_line(traced ? "  hardware, port" : "");
  for (unsigned i = 0; i < way_count; ++i) {
    const struct way* way = &ways[i];
    if (!offered(way)) continue;
    print_text("  ");
    print_text_padded(way->name, 5);
    print_cell(after[i].all - before[i].all);
    print_cell(after[i].cycles - before[i].cycles);
    print_cell(after[i].io - before[i].io);
    print_cell(after[i].mmio - before[i].mmio);
    print_cell(after[i].rdmsr - before[i].rdmsr);
    if (traced) print_cell(after[i].ports - before[i].ports);
    print_line("");
    expect(way->name, "io", after[i].io - before[i].io, rounds + way->io_exits);
    expect(way->name, "mmio", after[i].mmio - before[i].mmio, rounds);
    expect(way->name, "rdmsr", after[i].rdmsr - before[i].rdmsr, way->rdmsr_exits);

    if (traced) {
      expect(way->name, "ports", after[i].ports - before[i].ports, rounds + ports_of_reading(way));
      if (after[i].ports_cycles <= before[i].ports_cycles)
        expect(way->name, "cycles of ports", after[i].ports_cycles, before[i].ports_cycles + 1);
    }

    // What the kernel handles, and a host's signal, come on top.
    const uint64_t known = 2 * rounds + way->io_exits + way->rdmsr_exits;
    if (after[i].all - before[i].all < known)
      expect(way->name, "all exits", after[i].all - before[i].all, known);
  }
}

// One reading after the other without work between: each finds what the one before it found, and its exits.
static void check_agreement(void) {
  static struct reading readings[way_count];
  for (unsigned i = 0; i < way_count; ++i)
    if (offered(&ways[i])) ways[i].read(&readings[i]);

  const struct reading* previous = 0;
  const struct way* previous_way = 0;
  for (unsigned i = 0; i < way_count; ++i) {
    const struct way* way = &ways[i];
    if (!offered(way)) continue;
    if (previous) {
      uint64_t io = previous->io + previous_way->io_exits,
               rdmsr = previous->rdmsr + previous_way->rdmsr_exits;
      if (previous_way->io_exits) io -= previous_way->before_own;
      if (previous_way->rdmsr_exits) rdmsr -= previous_way->before_own;
      if (way->io_exits) io += way->before_own;
      if (way->rdmsr_exits) rdmsr += way->before_own;
      expect(way->name, "io next to the way before", readings[i].io, io);
      expect(way->name, "mmio next to the way before", readings[i].mmio, previous->mmio);
      expect(way->name, "rdmsr next to the way before", readings[i].rdmsr, rdmsr);
      const uint64_t since = ports_of_reading(previous_way) - ports_to_sample(previous_way);
      if (traced) {
        expect(way->name, "ports next to the way before", readings[i].ports,
               previous->ports + since + ports_to_sample(way));
      }
    }
    previous = &readings[i];
    previous_way = way;
  }
}

// Userspace exits so far, as far as this guest causes any, by a way that is there.
static uint64_t exits_by(const struct way* meter) {
  struct reading now;
  meter->read(&now);
  return now.io + now.mmio + now.rdmsr;
}

static void measure_cost(void) {
  enum { rounds = 16 };
  const struct way* meter = ways;
  while (!offered(meter)) ++meter;
  const uint64_t first = exits_by(meter);
  const uint64_t exits_of_meter = exits_by(meter) - first;

  static uint64_t exits[way_count], cycles[way_count];
  for (unsigned i = 0; i < way_count; ++i) {
    if (!offered(&ways[i])) continue;
    struct reading reading;
    const uint64_t exits_before = exits_by(meter);
    const uint64_t begin = read_tsc();
    for (unsigned round = 0; round < rounds; ++round) ways[i].read(&reading);
    cycles[i] = (read_tsc() - begin) / rounds;
    exits[i] = exits_by(meter) - exits_before - exits_of_meter;
  }

  print_line("what one reading of these five numbers costs:");
  print_line("  way             exits          cycles");
  for (unsigned i = 0; i < way_count; ++i) {
    const struct way* way = &ways[i];
    if (!offered(way)) continue;
    print_text("  ");
    print_text_padded(way->name, 5);
    print_cell(exits[i] / rounds);
    print_cell(cycles[i]);
    print_line("");
    expect(way->name, "exits of 16 readings", exits[i],
           (uint64_t)rounds * (way->io_exits + way->rdmsr_exits));
  }
}

// -------------------------------------------------------------------------------------------------------------------

static void print_interface(void) {
  print_text("exit-count interface, ABI 1: ports from 0x");
  print_hex(counts.first_port);
  if (counts.features & KVMBENCH_FEATURE_MSR) {
    print_text(", MSRs from 0x");
    print_hex(counts.first_msr);
  }
  if (counts.features & KVMBENCH_FEATURE_PAGE) {
    print_text(", pages from 0x");
    print_hex(counts.first_page);
  }
  print_line("");
  print_line(counts.features & KVMBENCH_FEATURE_KERNEL_EXITS ? "all exits: KVM's own counter of this vCPU"
                                                             : "all exits: exits to user space");
}

int guest_main(const struct guest* guest) {
  const uint64_t rounds = option_number(guest, "n", 200, 1, 1u << 30);
  if (!kvmbench_discover(&counts))
    guest_fail("this machine has no exit-count interface: it is no kvmbench guest");
  if (counts.first_page + counts.page_bytes > 1ull << 32)
    counts.features &= ~KVMBENCH_FEATURE_PAGE;  // not mapped
  const uint32_t all_ways = KVMBENCH_FEATURE_PORT | KVMBENCH_FEATURE_MSR | KVMBENCH_FEATURE_PAGE;
  if (!(counts.features & all_ways)) guest_fail("the exit-count interface offers no way to read a count");
  print_interface();
  if (counts.features & KVMBENCH_FEATURE_HARDWARE) {
    traced = true;
    port_reason = kvmbench_vendor(&counts) == KVMBENCH_VENDOR_VMX ? vmx_io_instruction : svm_ioio;
    ways = traced_ways;
    if (counts.features & KVMBENCH_FEATURE_PORT) find_string_exits();
  }
  if (counts.features & KVMBENCH_FEATURE_PAGE) {
    page = kvmbench_page_of(&counts, 0);
    if (page->magic != KVMBENCH_PAGE_MAGIC) guest_fail("there is no page of counts where CPUID says it is");
    kvmbench_keep_page(&counts, 1);
  }

  measure_work(rounds);
  check_agreement();
  measure_cost();
  print_line(failed ? "the ways do not agree" : "every way counts the work exactly, and all agree");
  return failed ? status_failed : status_ok;
}
