// @net: sends frames to a station that answers each, compares the answers, and says what each took by the
// guest's own clock.
//
//   model=M      virtio: virtio-net by MMIO; e1000: an 82540EM on PCI; any (default): the first of them that
//                is there
//   op=O         echo (default): each frame is answered; send: nothing is to come back
//   proto=P      udp (default), icmp, arp (whose frames have 60 bytes)
//   n=N          frames (default 64)
//   size=BYTES   of a frame, 60 to 1514 (default 60)
//   depth=N      frames on their way (default 1)
//   batch=N      frames for each notification of the card (default 1)
//   wait=W       poll (default), irq: halt until the card interrupts
//   cpl=N        drive the card in ring 3 (default) or 0, where it is always with wait=irq
//   seed=N       of the data (default 1)
//   print=P      table (default), result: the same figures for a program (lib/result.h)
// With model=virtio, as @disk: ring=, indirect=, event_idx=, suppress=
// With model=e1000:
//   itr=N        interrupts are at least N * 256 ns apart (default 0; 13.4.18 of the card's manual)
//
// The guest is 192.0.2.2 and asks by ARP for 192.0.2.1, which is to answer. A frame has the number of its
// request in it, in UDP and ICMP as a part of data that fill it and are compared. Phases: 0x60 that question,
// 0x61 the frames, 0x6f result; before, the card is set up.
#include "lib/apic.h"
#include "lib/cpu.h"
#include "lib/frame.h"
#include "lib/latency.h"
#include "lib/memory.h"
#include "lib/nic.h"
#include "lib/pattern.h"
#include "lib/print.h"
#include "lib/result.h"
#include "lib/user_mode.h"

enum { mark_question = 0x60, mark_work = 0x61, mark_result = 0x6f };

const char* const guest_option_keys[] = {"model",    "op",   "proto", "n",     "size",     "depth",
                                         "batch",    "wait", "seed",  "ring",  "indirect", "event_idx",
                                         "suppress", "itr",  "cpl",   "print", 0};

enum { model_any, model_virtio, model_e1000 };
enum { op_echo, op_send };
enum { frame_stride = 2048 };

// Request `number` has slot `number % depth`: one waits for the request `depth` before it.
struct slot {
  uint64_t number, submitted_at;
  bool unsent, unanswered;
};

static const struct nic* nic;
static struct frame_addresses addresses;
static enum frame_protocol protocol;
static uint64_t requests;
static uint32_t bytes;
static unsigned depth, batch, op;
static struct slot* slots;
static uint8_t* frames;  // by slot
static struct latencies latencies;
static uint64_t oldest, submitted;  // requests from `oldest` on to `submitted` are not all done
static uint64_t others;             // frames that came and are no answers

// Nothing comes for so long only where it is lost: a few seconds of any TSC.
static const uint64_t patience = 1ull << 34;

static uint8_t* frame_of(unsigned slot) {
  return frames + slot * frame_stride;
}

static struct {
  const char *before, *after;
  uint64_t number;
} failure;

static void end(void) {
  print_text(failure.before);
  print_number(failure.number);
  print_line(failure.after);
  guest_exit(status_wrong_data);
}

__attribute__((noreturn)) static void fail_frame(const char* before, uint64_t number, const char* after) {
  failure.before = before;
  failure.number = number;
  failure.after = after;
  user_mode_abandon(end);
}

static void submit(unsigned slot) {
  slots[slot] = (struct slot){submitted++, read_tsc(), true, op == op_echo};
  frame_number(frame_of(slot), bytes, protocol, slots[slot].number);
  nic->send(slot, frame_of(slot), bytes);
}

static void finish(const struct slot* slot) {
  latency_add(&latencies, read_tsc() - slot->submitted_at);
}

static bool take_sent(void) {
  const int at = nic->sent();
  if (at < 0) return false;
  slots[at].unsent = false;
  if (op == op_send) finish(&slots[at]);
  return true;
}

static void check_answer(const uint8_t* frame, uint32_t length) {
  int64_t at = frame_slot(frame, length, protocol, &addresses);
  if (at >= 0 && protocol == protocol_arp) at %= depth;
  if (at < 0 || op == op_send) {
    ++others;
    return;
  }
  if (at >= depth || !slots[at].unanswered)
    fail_frame("an answer without a request, for slot ", (uint64_t)at, "");
  finish(&slots[at]);
  slots[at].unanswered = false;
  if (!frame_is_whole(frame, length, protocol, bytes, slots[at].number))
    fail_frame("the answer to frame ", slots[at].number, " differs from it");
}

static bool take_answer(void) {
  uint32_t length;
  const uint8_t* frame = nic->receive(&length);
  if (!frame) return false;
  check_answer(frame, length);
  nic->give_back();
  return true;
}

static void work(void* argument) {
  (void)argument;
  const uint64_t begin = read_tsc();
  uint64_t progress = begin;
  unsigned next_slot = 0, oldest_slot = 0;
  while (oldest < requests) {
    const uint64_t left = requests - submitted;
    unsigned together = left < batch ? (unsigned)left : batch;
    if (together && submitted - oldest + together <= depth) {
      for (; together; --together) {
        submit(next_slot);
        next_slot = next_slot + 1 == depth ? 0 : next_slot + 1;
      }
      nic->kick();
    }
    const bool sent = take_sent(), came = take_answer();
    if (sent || came) {
      while (oldest < submitted && !slots[oldest_slot].unsent && !slots[oldest_slot].unanswered) {
        oldest_slot = oldest_slot + 1 == depth ? 0 : oldest_slot + 1;
        ++oldest;
      }
      progress = read_tsc();
      continue;
    }
    if (read_tsc() - progress > patience) fail_frame("nothing comes any more, for frame ", oldest, "");
    // The interrupt is of what comes last: an answer; it may come before its frame is reported sent.
    if (op == op_echo && !slots[oldest_slot].unanswered)
      pause();
    else
      nic->wait();
  }
  latencies.elapsed = read_tsc() - begin;
}

static bool take_peer(void) {
  uint32_t length;
  const uint8_t* frame = nic->receive(&length);
  if (!frame) return false;
  const bool answered = frame_is_answer(frame, length, &addresses);
  nic->give_back();
  return answered;
}

// Again after a second or so: the other end may not be there yet.
static void ask_for_peer(void) {
  enum { attempts = 8 };
  frame_build_question(frames, &addresses);
  for (unsigned attempt = 0; attempt < attempts; ++attempt) {
    nic->send(0, frames, frame_least);
    nic->kick();
    const uint64_t begin = read_tsc();
    bool sent = false, answered = false;
    while (!(sent && answered) && read_tsc() - begin < patience / attempts) {
      sent = sent || nic->sent() >= 0;
      answered = answered || take_peer();
      pause();
    }
    if (sent && answered) return;
    if (!sent) guest_fail("the card does not send");
  }
  guest_fail("192.0.2.1 does not answer the question for its address (ARP)");
}

static void find_nic(const struct guest* guest) {
  static const char* const models[] = {"any", "virtio", "e1000", 0};
  static const char* const missing[] = {"there is neither a virtio-net device nor an e1000",
                                        "there is no virtio-net device", "there is no e1000"};
  static const char* const waits[] = {"poll", "irq", 0};
  const struct nic_options options = {.by_interrupt = option_choice(guest, "wait", waits) == 1,
                                      .sends_only = op == op_send};
  if (options.by_interrupt && !apic_present()) guest_fail("wait=irq needs a local APIC");
  apic_take_over();
  const unsigned model = option_choice(guest, "model", models);
  if (model != model_e1000) nic = virtio_nic(guest, options);
  if (!nic && model != model_virtio) nic = e1000_nic(guest, options);
  if (!nic) guest_fail(missing[model]);
  copy_bytes(addresses.own, nic->mac, sizeof addresses.own);
}

static void read_options(const struct guest* guest) {
  static const char* const ops[] = {"echo", "send", 0};
  static const char* const protocols[] = {"udp", "icmp", "arp", 0};
  op = option_choice(guest, "op", ops);
  protocol = option_choice(guest, "proto", protocols);
  requests = option_number(guest, "n", 64, 1, protocol == protocol_arp ? 1 << 24 : UINT32_MAX);
  bytes = (uint32_t)option_number(guest, "size", frame_least, frame_least, frame_most);
  if (protocol == protocol_arp && bytes != frame_least)
    guest_fail("proto=arp has frames of 60 bytes: leave out size=");
  depth = (unsigned)option_number(guest, "depth", 1, 1, nic_depth_most);
  batch = (unsigned)option_number(guest, "batch", 1, 1, nic_depth_most);
  if (batch > depth) guest_fail("batch= is more than depth=");
}

int guest_main(const struct guest* guest) {
  read_options(guest);
  const bool for_program = result_wanted(guest);
  memory_initialize(guest);
  pattern_initialize(option_number(guest, "seed", 1, 0, UINT64_MAX));
  slots = memory_take(depth * sizeof *slots, 8);
  for (unsigned i = 0; i < depth; ++i) slots[i] = (struct slot){0};
  frames = memory_take(depth * frame_stride, 4096);
  latencies.cycles = memory_take(requests * sizeof *latencies.cycles, 8);
  find_nic(guest);

  phase_mark(mark_question);
  if (op == op_echo) ask_for_peer();
  for (unsigned i = 0; i < depth; ++i) frame_build(frame_of(i), bytes, protocol, &addresses, i);
  phase_mark(mark_work);
  if (option_number(guest, "cpl", 3, 0, 3) == 3 && !nic->may_halt)
    user_mode_call_interrupted(work, 0);
  else
    work(0);
  phase_mark(mark_result);
  const char* const name = op == op_echo ? "echo" : "send";
  if (for_program) {
    result_line(name, &latencies);
  } else {
    latency_print_header();
    latency_print(name, &latencies);
  }
  if (others) {
    print_text("frames that came and are no answers: ");
    print_number(others);
    print_line("");
  }
  return status_ok;
}
