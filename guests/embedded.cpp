#include "guests/embedded.hpp"

#include <array>

#define GUEST_IMAGE(name) extern "C" const std::byte kvmbench_guest_##name[], kvmbench_guest_##name##_end[]
GUEST_IMAGE(hello);
GUEST_IMAGE(mix);
GUEST_IMAGE(exits);
GUEST_IMAGE(prices);
GUEST_IMAGE(load);
GUEST_IMAGE(idle);
GUEST_IMAGE(interrupts);
GUEST_IMAGE(paging);
GUEST_IMAGE(smp);
GUEST_IMAGE(console);
GUEST_IMAGE(disk);
GUEST_IMAGE(net);
GUEST_IMAGE(share);
GUEST_IMAGE(pace);
GUEST_IMAGE(self);
GUEST_IMAGE(edges);
GUEST_IMAGE(step);
GUEST_IMAGE(touch);
GUEST_IMAGE(tsx);
GUEST_IMAGE(crash);
GUEST_IMAGE(spin);

namespace kvmbench {

std::span<const BuiltInGuest> built_in_guests() {
  static const std::array guests{
      BuiltInGuest{"hello",
                   "prints one line and ends with status 0",
                   "",
                   {kvmbench_guest_hello, kvmbench_guest_hello_end}},
      BuiltInGuest{"mix",
                   "a number of exits of each kind, with a table of what each costs by the guest's own clock",
                   "n=ROUNDS of each kind, or budget_ms=200; "
                   "kinds=serial,port,string,mmio-read,mmio-write,hlt,cpuid,rdmsr,wrmsr",
                   {kvmbench_guest_mix, kvmbench_guest_mix_end}},
      BuiltInGuest{"exits",
                   "hardware exits whose number is determined, kind after kind",
                   "n=100 of each kind; kinds=port,mmio,cpuid,rdmsr,wrmsr,hlt,cr3,invlpg,pages or hypercall",
                   {kvmbench_guest_exits, kvmbench_guest_exits_end}},
      BuiltInGuest{"prices",
                   "what each kind of exit costs by the guest's own clock (kvmbench bench exits)",
                   "n=ROUNDS of each kind at most (20000), none longer than us=50000; kinds=cpuid,... "
                   "(guests/prices.c)",
                   {kvmbench_guest_prices, kvmbench_guest_prices_end}},
      BuiltInGuest{
          "load",
          "exits of one kind on every CPU at once, for a time (kvmbench bench scale, overhead)",
          "kind=port|doorbell|ipi ms=100 n=200000 of each CPU at most; cpus=N (all by default); page=0",
          {kvmbench_guest_load, kvmbench_guest_load_end}},
      BuiltInGuest{"idle",
                   "halts, woken by a timer",
                   "seconds=1 or ms=N; hz=WAKE-UPS a second (none by default); timer=oneshot|periodic|pit "
                   "latency=WAKE-UPS to be measured (0)",
                   {kvmbench_guest_idle, kvmbench_guest_idle_end}},
      BuiltInGuest{"interrupts",
                   "is interrupted by the test device of --interrupt-source, and prints how late",
                   "way=irqfd|line|route|message|page state=spin|halt n=1000 gap_us=100",
                   {kvmbench_guest_interrupts, kvmbench_guest_interrupts_end}},
      BuiltInGuest{"paging",
                   "touches pages, edits page tables, switches address spaces and flushes the TLB",
                   "n=100 rounds of each; "
                   "op=fresh|fresh-2m|again|map|remap|protect|cr3-same|cr3-switch|cr3-pcid|flush|"
                   "invlpg|nothing (all by default)",
                   {kvmbench_guest_paging, kvmbench_guest_paging_end}},
      BuiltInGuest{"smp",
                   "starts all CPUs; each writes its share to a port and interrupts the next one",
                   "n=WRITES of all CPUs, or budget_ms=200; ipis=16 of each CPU; cpus=N (all by default)",
                   {kvmbench_guest_smp, kvmbench_guest_smp_end}},
      BuiltInGuest{"console",
                   "prints lines of text by a 16550 or a virtio-console, and their latencies",
                   "model=any|virtio|uart n=64 size=64; virtio: depth=1 batch=1 ring=split|packed indirect=0 "
                   "event_idx=0 suppress=0",
                   {kvmbench_guest_console, kvmbench_guest_console_end}},
      BuiltInGuest{
          "disk",
          "writes to a disk, reads back, compares, and prints the requests' latencies",
          "model=any|virtio|ata op=both|write|read n=64 size=4096 access=sequential|random sectors=N seed=1 "
          "depth=1 batch=1 wait=poll|irq; virtio: ring=split|packed indirect=0 event_idx=0 suppress=0; "
          "ata: multiple=N",
          {kvmbench_guest_disk, kvmbench_guest_disk_end}},
      BuiltInGuest{
          "net",
          "sends frames to a station that answers, compares, and prints the answers' latencies",
          "model=any|virtio|e1000 op=echo|send proto=udp|icmp|arp n=64 size=60 depth=1 batch=1 wait=poll|irq "
          "seed=1; virtio: ring=split|packed indirect=0 event_idx=0 suppress=0; e1000: itr=0",
          {kvmbench_guest_net, kvmbench_guest_net_end}},
      BuiltInGuest{"share",
                   "computes, with a share of its steps being requests to a disk (kvmbench bench io-mix)",
                   "share=0,25,50,75,100 percent n=100 steps for each model=any|virtio|ata op=read|write "
                   "size=512 unit=2000 wait=poll|irq; virtio and ata: as @disk",
                   {kvmbench_guest_share, kvmbench_guest_share_end}},
      BuiltInGuest{
          "pace",
          "reads from a virtio disk at given rates, answered by interrupts (kvmbench bench coalesce)",
          "rate=1000,10000,... a second n=256 of each size=512 depth=64; ring=split|packed indirect=0 "
          "event_idx=0 suppress=0",
          {kvmbench_guest_pace, kvmbench_guest_pace_end}},
      BuiltInGuest{"self",
                   "reads its own exit counts by port, request block, MSR and page, and what that costs",
                   "n=ROUNDS of known work (200)",
                   {kvmbench_guest_self, kvmbench_guest_self_end}},
      BuiltInGuest{"edges",
                   "uses the exit-count interface as it is not meant, and checks the answers",
                   "memory=BYTES below the hole (blocks at its end); cpus=N at once (all by default)",
                   {kvmbench_guest_edges, kvmbench_guest_edges_end}},
      BuiltInGuest{"step",
                   "single-steps instructions that exit, and tells where a trap is lost, late or misplaced",
                   "case=NAME (all by default)",
                   {kvmbench_guest_step, kvmbench_guest_step_end}},
      BuiltInGuest{
          "touch",
          "reaches for memory in all ways there are, for --protect and --watch",
          "at=ADDRESS (0x1000000); kinds=read1,...,write8,add,xchg,string,push,alias,moved,user,loop "
          "or fetch; n=100 rounds of loop",
          {kvmbench_guest_touch, kvmbench_guest_touch_end}},
      BuiltInGuest{
          "tsx",
          "transactions of growing length under growing rates of interrupts: how many abort, and why",
          "n=200 transactions of each length at each rate",
          {kvmbench_guest_tsx, kvmbench_guest_tsx_end}},
      BuiltInGuest{"crash", "ends in a triple fault", "", {kvmbench_guest_crash, kvmbench_guest_crash_end}},
      BuiltInGuest{
          "spin", "runs forever and causes no exit", "", {kvmbench_guest_spin, kvmbench_guest_spin_end}},
  };
  return guests;
}

}  // namespace kvmbench
