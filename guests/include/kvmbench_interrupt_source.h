/*
 * kvmbench's interrupt source: a device that interrupts its guest by a way of the guest's choice, and says
 * when it did. docs/interrupt-source.md is the specification.
 *
 * Freestanding C99, needs nothing but <stdint.h>, and is used by both sides. All numbers are little-endian.
 */
#ifndef KVMBENCH_INTERRUPT_SOURCE_H
#define KVMBENCH_INTERRUPT_SOURCE_H

#include <stdint.h>

/* Ports: the first one, and offsets from it. Every register is 32 bits wide and accessed whole. */

#define KVMBENCH_IRQ_PORT 0x0e40u
#define KVMBENCH_IRQ_PORT_COUNT 64u

#define KVMBENCH_IRQ_ID 0x00u       /* R: KVMBENCH_IRQ_ID_VALUE */
#define KVMBENCH_IRQ_WAYS 0x04u     /* R: a bit for each way that this machine has */
#define KVMBENCH_IRQ_PAGE 0x08u     /* W: GPA of the shared page, in RAM, a multiple of 4096; R: it, or 0 */
#define KVMBENCH_IRQ_ADDRESS 0x0cu  /* RW: the message's address, low half; the high half is 0 */
#define KVMBENCH_IRQ_DATA 0x10u     /* RW: the message's data */
#define KVMBENCH_IRQ_GAP 0x14u      /* RW: microseconds from one interrupt handled to the next raised */
#define KVMBENCH_IRQ_WAY 0x18u      /* RW: KVMBENCH_IRQ_BY_* */
#define KVMBENCH_IRQ_RAISE 0x1cu    /* W: begins to raise that many; 0 ends that */
#define KVMBENCH_IRQ_STATUS 0x20u   /* R: KVMBENCH_IRQ_STATUS_* */
#define KVMBENCH_IRQ_DEASSERT 0x24u /* W: lowers the level-triggered line, whatever is written */

#define KVMBENCH_IRQ_ID_VALUE 0x7172696bu /* "kirq" */

/* Ways. */
#define KVMBENCH_IRQ_BY_LINE 0u    /* KVM_IRQ_LINE: level-triggered, GSI KVMBENCH_IRQ_LEVEL_GSI */
#define KVMBENCH_IRQ_BY_IRQFD 1u   /* an irqfd on the I/O APIC: edge-triggered, GSI KVMBENCH_IRQ_EDGE_GSI */
#define KVMBENCH_IRQ_BY_ROUTE 2u   /* an irqfd on a GSI that is routed to the message (KVM_SET_GSI_ROUTING) */
#define KVMBENCH_IRQ_BY_MESSAGE 3u /* the message by KVM_SIGNAL_MSI */
#define KVMBENCH_IRQ_BY_PAGE 4u    /* no interrupt: the guest looks into the page */
#define KVMBENCH_IRQ_WAY_COUNT 5u

#define KVMBENCH_IRQ_LEVEL_GSI 10u
#define KVMBENCH_IRQ_EDGE_GSI 11u

#define KVMBENCH_IRQ_STATUS_BUSY (1u << 0)    /* there are interrupts still to come */
#define KVMBENCH_IRQ_STATUS_REFUSED (1u << 1) /* the last write of PAGE or RAISE named what cannot be */
#define KVMBENCH_IRQ_STATUS_GAVE_UP (1u << 2) /* an interrupt was not handled, repeats included */

#define KVMBENCH_IRQ_GAP_MAX 1000000u /* more counts as this */

/*
 * The shared page. What the host writes of an interrupt is there before it is raised; the next one is raised
 * once the guest has written its number into `handled`.
 */
struct kvmbench_irq_page {
  /* Written by the host. */
  uint64_t raised;          /* the number of the last one raised, from 1 on */
  uint64_t raised_at;       /* the host's TSC just before */
  uint64_t raise_cycles;    /* what raising the one before took the host */
  uint64_t round_trip;      /* of the one before: from raised_at until the host saw it handled */
  uint64_t repeats;         /* interrupts that were raised again, as they were not handled in time */
  uint64_t tsc_offset;      /* guest's TSC - host's TSC, modulo 2^64 */
  uint64_t tsc_uncertainty; /* cycles by which tsc_offset may be wrong; 0 where KVM itself told it */
  uint64_t reserved;
  /* Written by the guest, on a cache line of its own. */
  uint64_t handled; /* the number of the last interrupt handled */
};

#endif
