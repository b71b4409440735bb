#include "lib/smp.h"

#include "lib/acpi.h"
#include "lib/apic.h"
#include "lib/clock.h"
#include "lib/cpu.h"
#include "lib/interrupts.h"
#include "lib/print.h"

union cpu_area {
  struct cpu cpu;
  char stack[CPU_AREA_SIZE];
};

extern union cpu_area boot_cpu_area;
extern const char trampoline[], trampoline_end[];

// Read by the trampoline: one CPU starts at a time.
uint64_t trampoline_stack_top;
__attribute__((noreturn)) void smp_application_processor(void);

static union cpu_area areas[cpus_max - 1] __attribute__((aligned(CPU_AREA_SIZE)));
static cpu_main* application_main;

struct cpu* smp_cpu(unsigned index) {
  return index ? &areas[index - 1].cpu : &boot_cpu_area.cpu;
}

void smp_application_processor(void) {
  struct cpu* cpu = cpu_current();
  interrupts_load();
  apic_enable();
  atomic_store_explicit(&cpu->online, true, memory_order_release);
  application_main(cpu);
  guest_fail("an application processor ended its work");
}

// Intel SDM vol. 3, 8.4.4.1: INIT, 10 ms, start-up, 200 us, start-up.
static bool start(struct cpu* cpu) {
  trampoline_stack_top = (uint64_t)cpu + CPU_AREA_SIZE;
  apic_send_init(cpu->apic_id);
  clock_delay_us(10000);
  for (int attempt = 0; attempt < 2 && !cpu->online; ++attempt) {
    apic_send_startup(cpu->apic_id, TRAMPOLINE_ADDRESS);
    clock_delay_us(200);
  }
  const uint64_t patience = read_tsc() + clock_cycles_from_us(5000000);
  while (!cpu->online && read_tsc() < patience) pause();
  return cpu->online;
}

// Which APIC IDs there are: those of the MADT, or without one 0 to wanted-1.
static unsigned find_cpus(const struct guest* guest, unsigned wanted, uint32_t* apic_ids) {
  if (!apic_present()) {
    if (wanted > 1) guest_fail("cpus= needs a local APIC");
    return 1;
  }
  unsigned count = acpi_find_cpus(guest->rsdp, apic_ids, cpus_max);
  if (count > cpus_max && !wanted)
    guest_fail("the machine has more CPUs than this guest can start: give cpus=");
  if (!count) {
    count = wanted ? wanted : 1;
    for (unsigned i = 0; i < count; ++i) apic_ids[i] = i;
  }
  if (wanted > count) guest_fail("cpus= is more than the MADT lists");
  return wanted ? wanted : count;
}

unsigned smp_start(const struct guest* guest, unsigned wanted, cpu_main* main) {
  static uint32_t apic_ids[cpus_max];
  const unsigned count = find_cpus(guest, wanted, apic_ids);
  if (!apic_present()) return 1;

  apic_enable();
  boot_cpu_area.cpu.apic_id = apic_id();
  application_main = main;
  copy_bytes((void*)TRAMPOLINE_ADDRESS, trampoline, (uint64_t)(trampoline_end - trampoline));

  unsigned index = 1;
  for (unsigned i = 0; index < count; ++i) {
    if (apic_ids[i] == boot_cpu_area.cpu.apic_id) continue;
    struct cpu* cpu = smp_cpu(index);
    cpu->index = index++;
    cpu->apic_id = apic_ids[i];
    if (start(cpu)) continue;
    print_text("no answer from the CPU with APIC ID ");
    print_number(cpu->apic_id);
    print_line("");
    guest_exit(status_failed);
  }
  return count;
}
