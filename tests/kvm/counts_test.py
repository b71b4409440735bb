#!/usr/bin/env python3
"""The built-in guests on the host's KVM: each exit that a guest asks for (guests/README.md) is counted, and under its
own key; whatever was run, the account adds up (machine.Case.account checks that of every run)."""

import re

import machine
import program
from machine import END, MARK, MMIO_READ, MMIO_WRITE, PORT, SERIAL, STRING

ERROR_EAGAIN = 0x80000000 + 11  # stats::error_reason + errno: an application processor got its start-up IPI
TABLE_LINE = 60


class Mix(machine.Case):
    def mix(self, options, *arguments):
        done = self.account("@mix", "--cmdline", options, *arguments)
        self.expect(done, 0)
        return done

    def expect_phase(self, report, mark, wanted):
        self.expect_counts(machine.keys_of(report, machine.phase_of(report, mark)), wanted)

    def test_2000_serial_bytes_are_2000_exits_of_uart0_THR(self):
        report = self.mix("kinds=serial n=2000").report
        # Phase 0x10: 2000 bytes and the mark that ends it. 0x1f: the table's header and its line for the kind.
        self.expect_phase(report, 0x10, {SERIAL: 2000, MARK: 1})
        self.expect_phase(report, 0x1F, {SERIAL: 2 * TABLE_LINE, END: 1})
        (name,) = {(key["device"], key["register"]) for key in machine.keys_of(report) if machine.identity(key) == SERIAL}
        self.assertEqual(name, ("uart0", "THR"))

    def test_each_kind_is_counted_exactly_and_in_its_own_phase(self):
        rounds = 300
        done = self.mix(f"n={rounds}")
        report = done.report
        self.expect_phase(report, 0x10, {SERIAL: rounds, MARK: 1})
        self.expect_phase(report, 0x11, {PORT: rounds, MARK: 1})
        self.expect_phase(report, 0x13, {MMIO_READ: rounds, MARK: 1})
        self.expect_phase(report, 0x14, {MMIO_WRITE: rounds, MARK: 1})
        for served_by_kvm in (0x15, 0x16, 0x17, 0x18):
            self.expect_phase(report, served_by_kvm, {MARK: 1})
        self.expect_phase(report, 0x1F, {SERIAL: 10 * TABLE_LINE, END: 1})
        self.assertEqual(len(done.out), rounds + 10 * TABLE_LINE)

    def test_a_string_output_of_n_bytes_is_n_transfers(self):
        for rounds in (1, 15, 16, 17, 1000):
            with self.subTest(rounds=rounds):
                report = self.mix(f"kinds=string n={rounds}").report
                transfers = machine.counts(machine.keys_of(report), "transfers")
                self.assertEqual(transfers[STRING], rounds)
                self.assertLessEqual(machine.counts(machine.keys_of(report))[STRING], rounds)

    def test_an_access_that_nobody_answers_has_no_device(self):
        report = self.mix("kinds=port,string,mmio-read,mmio-write n=10").report
        unclaimed = {machine.identity(key): key["device"] for key in machine.keys_of(report)}
        self.assertEqual({unclaimed[key] for key in (PORT, STRING, MMIO_READ, MMIO_WRITE)}, {""})

    def test_without_n_the_rounds_in_the_guests_table_are_the_exits(self):
        done = self.mix("kinds=port,mmio-read budget_ms=30")
        table = {kind: int(rounds) for kind, rounds in re.findall(rb"^(port|mmio-read) +(\d+)", done.out, re.MULTILINE)}
        counted = machine.counts(machine.keys_of(done.report))
        self.assertEqual({b"port": counted[PORT], b"mmio-read": counted[MMIO_READ]}, table)

    def test_each_interrupt_chip_serves_the_same_exits(self):
        for irqchip in ("full", "split", "none"):
            with self.subTest(irqchip=irqchip):
                report = self.mix("kinds=serial,port n=100", "--irqchip", irqchip).report
                self.expect_phase(report, 0x10, {SERIAL: 100, MARK: 1})
                self.expect_phase(report, 0x11, {PORT: 100, MARK: 1})

    def test_a_halted_guest_is_woken_by_its_timer_with_each_chip_that_has_one(self):
        for irqchip in ("full", "split"):
            with self.subTest(irqchip=irqchip):
                report = self.mix("kinds=hlt n=20", "--irqchip", irqchip).report
                self.expect_phase(report, 0x15, {MARK: 1})
        done = self.mix("kinds=hlt n=20", "--irqchip", "none")
        self.assertNotIn(machine.KVM_EXIT_HLT, {key["reason"] for key in machine.keys_of(done.report)}, done)


class Smp(machine.Case):
    def test_four_vcpus_have_a_share_each_and_it_adds_up(self):
        # 1002 is no multiple of 4: the first two write one more than the others.
        done = self.account("@smp", "--cpus", "4", "--cmdline", "n=1002")
        self.expect(done, 0)
        vcpus = done.report["vcpus"]
        self.assertEqual([vcpu["vcpu"] for vcpu in vcpus], [0, 1, 2, 3])
        shares = [machine.counts(vcpu["keys"]).get(PORT, 0) for vcpu in vcpus]
        self.assertEqual(shares, [251, 251, 250, 250])
        for vcpu in vcpus[1:]:
            others = {key["reason"] for key in vcpu["keys"] if machine.identity(key) != PORT}
            self.assertLessEqual(others, {ERROR_EAGAIN, machine.KVM_EXIT_INTR})
        work = machine.counts(machine.keys_of(done.report, machine.phase_of(done.report, 0x20)))
        self.assertEqual(work[PORT], 1002)

    def test_eight_vcpus_on_a_split_chip_add_up(self):
        done = self.account("@smp", "--cpus", "8", "--irqchip", "split", "--cmdline", "n=800")
        self.expect(done, 0)
        shares = [machine.counts(vcpu["keys"]).get(PORT, 0) for vcpu in done.report["vcpus"]]
        self.assertEqual(shares, [100] * 8)

    def test_a_vcpu_that_is_never_started_has_no_exit_of_the_guest(self):
        report = self.account("@hello", "--cpus", "3").report
        for vcpu in report["vcpus"][1:]:
            self.assertLessEqual({key["reason"] for key in vcpu["keys"]}, {ERROR_EAGAIN, machine.KVM_EXIT_INTR})


class Whole(machine.Case):
    def test_hello_is_40_bytes_and_its_end(self):
        done = self.account("@hello")
        self.expect(done, 0)
        self.assertEqual(done.out, b"Hello from inside the virtual machine.\r\n")
        self.expect_counts(machine.keys_of(done.report), {SERIAL: 40, END: 1})

    def test_crash_is_25_bytes_and_the_shutdown(self):
        done = self.account("@crash")
        self.expect_counts(machine.keys_of(done.report), {SERIAL: 25, (machine.KVM_EXIT_SHUTDOWN, 0, "none", 0): 1})

    def test_a_guest_that_does_nothing_has_no_exit_but_the_stop(self):
        done = self.account("@spin", "--timeout", "50ms")
        self.expect_counts(machine.keys_of(done.report), {})
        self.assertEqual(done.report["exits"], 1)

    def test_as_many_exits_are_counted_as_KVM_RUN_has_returned(self):
        runs = (
            ["@mix", "--cmdline", "n=50"],
            ["@smp", "--cpus", "4", "--cmdline", "n=100"],
            ["@crash"],
            ["@spin", "--timeout", "50ms"],
        )
        for arguments in runs:
            with self.subTest(arguments=arguments):
                returns = self.path / "returns"
                done = self.account(*arguments, env=program.faked(FAKE_KVM_COUNT=returns))
                self.assertEqual(done.report["exits"], int(returns.read_text()))


if __name__ == "__main__":
    machine.main()
