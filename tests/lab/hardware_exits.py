"""Hardware exits, reason by reason, of @exits in the lab: each kind's number is determined by what the guest does.

The kernel itself counts them, by a histogram trigger of its tracepoint kvm_exit (Linux, Documentation/trace/histogram.rst),
so that these numbers depend on nothing of kvmbench but what it lets the guest do.
"""

import re

# AMD APM vol. 2, appendix C
SVM = {
    "port": 0x7B,
    "cpuid": 0x72,
    "msr": 0x7C,
    "hypercall": 0x81,
    "hlt": 0x78,
    "read cr3": 0x03,
    "cr3": 0x13,
    "invlpg": 0x79,
    "#PF": 0x4E,
    "nested fault": 0x400,
    "mmio": 0x400,
}
# Interrupts of the host, and the window for one that waits for the guest.
SVM_UNDETERMINED = {0x60, 0x64}

# Intel SDM vol. 3, appendix C
VMX = {
    "port": 30,
    "cpuid": 10,
    "rdmsr": 31,
    "wrmsr": 32,
    "hypercall": 18,
    "hlt": 12,
    "cr3": 28,
    "invlpg": 14,
    "#PF": 0,
    "nested fault": 48,
    "mmio": 49,
}
# Interrupts of the host, the window, and the preemption timer, which may stand for the guest's own timer.
VMX_UNDETERMINED = {1, 7, 52}

FEW, MANY = 10, 210
# The kinds of one run: no two have a reason in common, so that what a reason has grown by is one kind's.
GROUPS = {
    "most": ["port", "mmio", "cpuid", "rdmsr", "hypercall", "cr3", "invlpg"],
    "rest": ["wrmsr", "pages"],
    "hlt": ["hlt"],
}
# Memory by small pages, so that each one is a fault of its own.
SCRIPT = """
echo never >/sys/kernel/mm/transparent_hugepage/enabled
counted() {
  local name=$1 event=/sys/kernel/tracing/events/kvm/kvm_exit
  shift
  echo hist:keys=exit_reason:size=1024 >$event/trigger
  bench "$name" "$@"
  cat $event/hist >"results/$name.hist"
  echo '!hist:keys=exit_reason:size=1024' >$event/trigger
}
""" + "\n".join(
    f"counted {group}-{rounds} @exits --trace --cmdline 'kinds={','.join(kinds)} n={rounds}'"
    for group, kinds in GROUPS.items()
    for rounds in (FEW, MANY)
)


def of_rounds(isa, paging):
    """What one round of each kind adds: a number of exits for each reason."""
    reason = SVM if isa == "svm" else VMX
    nested = paging == "nested"
    rdmsr, wrmsr = (reason["msr"],) * 2 if isa == "svm" else (reason["rdmsr"], reason["wrmsr"])
    fault = reason["nested fault" if nested else "#PF"]
    return {
        "port": {reason["port"]: 1},
        "mmio": {reason["mmio"] if nested else reason["#PF"]: 1},
        "cpuid": {reason["cpuid"]: 1},
        "rdmsr": {rdmsr: 1},
        "wrmsr": {wrmsr: 1},
        "hypercall": {reason["hypercall"]: 1},
        # the timer's deadline and the end of interrupt are MSRs of the x2APIC
        "hlt": {reason["hlt"]: 1, wrmsr: 2},
        "cr3": {} if nested else {reason["cr3"]: 1},
        "invlpg": {} if nested else {reason["invlpg"]: 1},
        "pages": {fault: 1},
    }


class HardwareExits:
    """To be mixed into a test case that has ISA, PAGING and results."""

    def counts(self, name):
        """The kernel's: exits by reason."""
        lines = re.findall(r"\{ exit_reason: +(\d+) \} hitcount: +(\d+)", self.results.text(f"{name}.hist"))
        self.assertTrue(lines, name)
        self.assertIn("\n    Dropped: 0\n", self.results.text(f"{name}.hist"))
        return {int(reason): int(count) for reason, count in lines}

    def determined(self, name):
        undetermined = SVM_UNDETERMINED if self.ISA == "svm" else VMX_UNDETERMINED
        return {reason: count for reason, count in self.counts(name).items() if reason not in undetermined}

    def each_run(self, check):
        """Calls check(kinds, rounds, name)."""
        for group, kinds in GROUPS.items():
            for rounds in (FEW, MANY):
                with self.subTest(kinds=kinds, rounds=rounds):
                    check(kinds, rounds, f"{group}-{rounds}")

    def test_the_kernels_count_of_exits_is_the_sum_over_reasons(self):
        def check(_, __, name):
            self.expect_status(name, 0)
            self.assertEqual(sum(self.counts(name).values()), self.results.report(name)["kernel_exits"])

        self.each_run(check)

    def test_the_tracer_counts_what_the_kernel_counts(self):
        def check(_, __, name):
            hardware = self.results.report(name)["hardware"]
            self.assertEqual({row["reason"]: row["count"] for row in hardware["by_reason"]}, self.counts(name))
            self.assertEqual((hardware["exits"], hardware["unexplained"]), (hardware["kernel_exits"], 0))
            self.assertEqual({vcpu["vendor"] for vcpu in hardware["vcpus"]}, {self.ISA})

        self.each_run(check)

    def test_a_round_of_each_kind_adds_its_hardware_exits_and_no_others(self):
        of_kind = of_rounds(self.ISA, self.PAGING)
        for group, kinds in GROUPS.items():
            with self.subTest(kinds=kinds):
                few, many = (self.determined(f"{group}-{rounds}") for rounds in (FEW, MANY))
                added = {reason: many[reason] - few.get(reason, 0) for reason in many}
                wanted = {}
                for kind in kinds:
                    self.assertEqual(wanted.keys() & of_kind[kind].keys(), set(), kind)
                    wanted |= {reason: count * (MANY - FEW) for reason, count in of_kind[kind].items()}
                self.assertEqual({reason: count for reason, count in added.items() if count}, wanted)

    def test_hardware_exits_that_paging_does_not_change_are_exactly_those_of_the_guests_instructions(self):
        reason = SVM if self.ISA == "svm" else VMX

        def check(kinds, rounds, name):
            counts = self.counts(name)
            # a mark for each kind, the last one, and the end
            self.assertEqual(counts[reason["port"]], len(kinds) + 2 + rounds * ("port" in kinds))
            # hypercall asks for the vendor once; hlt for the APIC's and the clock's features
            asked = {"cpuid": rounds, "hypercall": 1, "hlt": 6}
            self.assertEqual(counts.get(reason["cpuid"], 0), sum(asked.get(kind, 0) for kind in kinds))
            self.assertEqual(counts.get(reason["hypercall"], 0), rounds * ("hypercall" in kinds))
            self.assertEqual(counts.get(reason["hlt"], 0), rounds * ("hlt" in kinds))

        self.each_run(check)
