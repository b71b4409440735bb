#!/usr/bin/env python3
"""The built-in guests in the lab, on a KVM with hardware virtualisation: the counts are exact there, too.

guests_test.py SvmNested | SvmShadow | VmxNested | VmxShadow: what the CPU has, and how KVM pages; the counts are the same.
"""

import hardware_exits
import lab
import machine
from machine import END, MARK, MMIO_READ, MMIO_WRITE, PORT, SERIAL, STRING

ROUNDS = 500
KINDS = "serial,port,string,mmio-read,mmio-write,cpuid,rdmsr,wrmsr"
RUNS = ["hello", "mix", "idle", "serial", "smp", "crash", "limit", "interrupted", "self", "edges"]
MEMORY = 64 << 20


class Guests(hardware_exits.HardwareExits):
    KINDS = KINDS + ",hlt"
    ENDLESS = "@spin"

    @classmethod
    def script(cls):
        return f"""
bench hello @hello
bench mix @mix --cmdline 'kinds={cls.KINDS} n={ROUNDS}'
bench idle @idle --cmdline hz=20
bench serial @mix --cmdline 'kinds=serial n=2000'
bench smp @smp --cpus 4 --cmdline 'cpus=4 n=1002'
bench crash @crash
bench self @self --trace
bench edges @edges --trace --mem {MEMORY >> 20}M --cmdline 'memory={MEMORY}'
bench limit {cls.ENDLESS} --timeout 1s
bench interrupted @mix --cmdline 'kinds=port budget_ms=3600000' &
until [ -s results/interrupted.pid ]; do sleep 0.1; done
sleep 2
kill -INT "$(cat results/interrupted.pid)"
wait
{hardware_exits.SCRIPT}"""

    @classmethod
    def setUpClass(cls):
        with lab.directory() as directory:
            cls.prepare(directory)
            cls.results = lab.run(directory, cls.script(), "--isa", cls.ISA, "--paging", cls.PAGING, "--timeout", "600")

    @classmethod
    def prepare(cls, directory):
        pass

    def expect_status(self, name, status):
        self.assertEqual(self.results.status(name), status, self.results.everything(name))

    def expect_phase(self, name, mark, wanted):
        report = self.results.report(name)
        self.expect_counts(machine.keys_of(report, machine.phase_of(report, mark)), wanted)

    def test_all_accounts_add_up(self):
        for name in RUNS:
            with self.subTest(run=name):
                self.check_sums(self.results.report(name))

    def test_the_report_states_the_paging(self):
        facts = {fact["name"]: fact["value"] for fact in self.results.report("hello")["host"]}
        self.assertEqual((facts["kvm module"], facts["paging"]), self.FACTS)

    def test_hello_is_40_bytes_and_its_end(self):
        self.expect_status("hello", 0)
        self.assertEqual(self.results.bytes("hello.out"), b"Hello from inside the virtual machine.\r\n")
        self.expect_counts(machine.keys_of(self.results.report("hello")), {SERIAL: 40, END: 1})

    def test_2000_serial_bytes_are_2000_exits(self):
        self.expect_status("serial", 0)
        self.expect_phase("serial", 0x10, {SERIAL: 2000, MARK: 1})

    def test_each_kind_of_mix_is_counted_exactly_and_in_its_own_phase(self):
        self.expect_status("mix", 0)
        for mark, key in ((0x10, SERIAL), (0x11, PORT), (0x13, MMIO_READ), (0x14, MMIO_WRITE)):
            with self.subTest(mark=hex(mark)):
                self.expect_phase("mix", mark, {key: ROUNDS, MARK: 1})

    def test_a_string_output_of_n_bytes_is_n_transfers(self):
        transfers = machine.counts(machine.keys_of(self.results.report("mix")), "transfers")
        self.assertEqual(transfers[STRING], ROUNDS)

    def test_a_guest_reads_its_own_hardware_exits_by_each_of_the_four_ways(self):
        self.expect_status("self", 0)
        text = self.results.text("self.out")
        self.assertIn("rdmsr  hardware, port\n", text)
        self.assertTrue(text.endswith("every way counts the work exactly, and all agree\n"), text)

    def test_hardware_reasons_that_are_counted_are_answered_as_specified(self):
        self.expect_status("edges", 0)
        self.assertEqual(self.results.text("edges.out"), "the exit-count interface is as specified\n")

    def test_halting_is_served_by_kvm(self):
        self.expect_status("idle", 0)
        self.expect_phase("idle", 0x30, {MARK: 1})

    def test_cpuid_rdmsr_and_wrmsr_are_served_by_kvm(self):
        for mark in (0x16, 0x17, 0x18):
            with self.subTest(mark=hex(mark)):
                self.expect_phase("mix", mark, {MARK: 1})

    def test_each_byte_that_a_guest_prints_is_an_exit(self):
        for name in ("hello", "mix", "idle", "serial", "smp", "self", "edges"):
            with self.subTest(run=name):
                printed = len(self.results.bytes(f"{name}.out"))
                self.assertEqual(machine.counts(machine.keys_of(self.results.report(name)))[SERIAL], printed)

    def test_each_vcpu_of_smp_has_its_own_share(self):
        self.expect_status("smp", 0)
        shares = [machine.counts(vcpu["keys"])[PORT] for vcpu in self.results.report("smp")["vcpus"]]
        self.assertEqual(shares, [251, 251, 250, 250])

    def test_a_triple_fault_is_told_and_has_a_status_of_its_own(self):
        self.expect_status("crash", 5)
        self.assertIn("triple fault", self.results.text("crash.err"))

    def test_the_time_limit_ends_a_guest_that_never_exits(self):
        self.expect_status("limit", 124)
        self.assertEqual(self.results.report("limit")["exits"], 1)

    def test_a_run_that_is_interrupted_is_reported(self):
        self.expect_status("interrupted", 130)
        self.assertGreater(machine.counts(machine.keys_of(self.results.report("interrupted")))[PORT], 0)


class Svm(Guests):
    ISA = "svm"
    # Without hlt, whose guest may not wake up in the lab (scripts/lab, "gaps"): its timer goes off right after STI.
    KINDS = KINDS


class SvmNested(Svm, machine.Case):
    PAGING = "nested"
    FACTS = ("kvm_amd", "nested (npt)")


class SvmShadow(Svm, machine.Case):
    PAGING = "shadow"
    FACTS = ("kvm_amd", "shadow (npt is off)")


class Vmx(Guests):
    ISA = "vmx"
    # Not @spin, which keeps interrupts off: the lab stands still then (scripts/lab, "gaps").
    ENDLESS = "endless --mode 16"

    @classmethod
    def prepare(cls, directory):
        (directory / "endless").write_bytes(b"\xfb\xeb\xfe")  # sti; jmp to itself


class VmxNested(Vmx, machine.Case):
    PAGING = "nested"
    FACTS = ("kvm_intel", "nested (ept)")


class VmxShadow(Vmx, machine.Case):
    PAGING = "shadow"
    FACTS = ("kvm_intel", "shadow (ept is off)")


if __name__ == "__main__":
    lab.main()
