#!/usr/bin/env python3
"""@step: every case is told, its own exits are exact whatever it finds, and the verdict follows from what came.

What this host's KVM gets right or wrong is a finding and not this test's: only the control has to pass.
"""

import re

import machine
from machine import END, KVM_EXIT_IO, KVM_EXIT_MMIO, MMIO_READ, MMIO_WRITE, PORT, SERIAL, STRING

LINE = re.compile(r"result arm=([a-z0-9-]+) due=(\d+) came=(\d+) right=([01]) pass=([01])")

CONFIG_WRITE = (KVM_EXIT_IO, 0xCF8, "write", 4)
CONFIG_READ = (KVM_EXIT_IO, 0xCF8, "read", 4)
PORT_READ = (KVM_EXIT_IO, 0x2F00, "read", 1)
STRING_READ = (KVM_EXIT_IO, 0x2F01, "read", 1)
SET_UP = {CONFIG_WRITE: 1, CONFIG_READ: 1, END: 1}


def mmio(address, direction, width):
    return KVM_EXIT_MMIO, address, direction, width


# An interrupt that has not come in time is taken at one more write to the port.
LATE = {PORT: 1}
# The elements that each case moves by exits; guests/README.md.
CASES = {
    "nop": {},
    "out": {PORT: 1},
    "in": {PORT_READ: 1},
    "mmio-read": {MMIO_READ: 1},
    "mmio-write": {MMIO_WRITE: 1},
    "mmio-add": {mmio(0xDF000004, "read", 4): 1, MMIO_WRITE: 1},
    "mmio-movs": {MMIO_READ: 1},
    "cpuid": {},
    "mov-cr3": {},
    "invlpg": {},
    "wbinvd": {},
    "rdmsr": {},
    "wrmsr": {},
    "hlt": LATE,
    "rep-outsb": {STRING: 3},
    "rep-insb": {STRING_READ: 3},
    "rep-stosb-mmio": {mmio(0xDF000004 + i, "write", 1): 1 for i in range(3)},
    "wrmsr-interrupt": LATE,
    "sti-nop": LATE,
    "sti-out": {PORT: 2},
    "sti-in": {PORT_READ: 1, **LATE},
    "sti-cpuid": LATE,
    "sti-hlt": LATE,
    "mov-ss-nop": {},
    "mov-ss-out": {PORT: 1},
    "mov-ss-in": {PORT_READ: 1},
    "mov-ss-cpuid": {},
    "mov-ss-mmio-read": {MMIO_READ: 1},
    "mov-ss-mmio-write": {MMIO_WRITE: 1},
    "out-page-end": {(KVM_EXIT_IO, 0xEE, "write", 1): 1},
    "outs-page-end": {CONFIG_WRITE: 2, CONFIG_READ: 1},
    "ins-page-end": {CONFIG_WRITE: 1, CONFIG_READ: 1},
    "mmio-read-page-end": {mmio(0xDF000FFE, "read", 2): 1, mmio(0xDF001000, "read", 2): 1},
    "mmio-write-page-end": {mmio(0xDF000FFE, "write", 2): 1, mmio(0xDF001000, "write", 2): 1},
    "mmio-read8-page-end": {mmio(0xDF000FFD, "read", 3): 1, mmio(0xDF001000, "read", 5): 1},
    "mmio-write8-page-end": {mmio(0xDF000FFD, "write", 3): 1, mmio(0xDF001000, "write", 5): 1},
    "read-mmio-then-ram": {mmio(0xDF000FFE, "read", 2): 1},
    "read-ram-then-mmio": {mmio(0xDF000000, "read", 2): 1},
    "write-mmio-then-ram": {mmio(0xDF000FFE, "write", 2): 1},
    "write-ram-then-mmio": {mmio(0xDF000000, "write", 2): 1},
    "step-read-page-end": {mmio(0xDF000FFE, "read", 2): 1, mmio(0xDF001000, "read", 2): 1},
    "step-write-page-end": {mmio(0xDF000FFE, "write", 2): 1, mmio(0xDF001000, "write", 2): 1},
}


def together(cases):
    """The elements of several cases, in one run."""
    sums = {}
    for case in cases:
        for key, count in case.items():
            sums[key] = sums.get(key, 0) + count
    return sums


class Step(machine.Case):
    def step(self, *arguments):
        """A run; gives Done with its account, and the lines by case."""
        done = self.account("@step", "--timeout", "60s", *arguments)
        self.assertEqual(done.status, 0, done)
        lines = done.out.decode().splitlines()
        done.cases = {match[1]: tuple(map(int, match.groups()[1:])) for match in map(LINE.fullmatch, lines)}
        self.assertEqual(len(done.cases), len(lines), lines)
        return done

    def expect_transfers(self, done, cases):
        moved = machine.counts(machine.keys_of(done.report), "transfers")
        self.assertEqual(moved.pop(SERIAL), len(done.out))
        moved.pop(machine.STOPPED, None)
        self.assertEqual(moved, together([SET_UP, *(CASES[case] for case in cases)]))

    def test_each_case_has_its_line_and_its_exits(self):
        done = self.step()
        self.assertEqual(list(done.cases), list(CASES))
        self.expect_transfers(done, CASES)

    def test_a_case_alone_has_its_exits_and_no_others(self):
        for case in ("out", "rep-insb", "write-ram-then-mmio", "sti-hlt"):
            with self.subTest(case=case):
                done = self.step("--cmdline", f"case={case}")
                self.assertEqual(list(done.cases), [case])
                self.expect_transfers(done, [case])

    def test_the_verdict_is_what_was_due_against_what_came(self):
        for case, (due, came, right, passed) in self.step().cases.items():
            with self.subTest(case=case):
                self.assertEqual(passed, int(due == came and right == 1))

    def test_without_an_exit_the_trap_comes_as_it_is_due(self):
        self.assertEqual(self.step("--cmdline", "case=nop").cases["nop"], (1112, 1112, 1, 1))

    def test_without_a_local_apic_what_needs_one_is_named(self):
        done = self.run_program("run", "@step", "--irqchip", "none", "--report", "none", "--timeout", "60s")
        self.assertEqual(done.status, 0, done)
        absent = re.findall(r"unavailable arm=([a-z0-9-]+) why=no local APIC\r", done.out.decode())
        wanted = [case for case in CASES if case in ("hlt", "wrmsr-interrupt") or case.startswith("sti-")]
        self.assertEqual(absent, wanted)

    def test_a_case_that_there_is_not_is_refused(self):
        done = self.run_program("run", "@step", "--report", "none", "--cmdline", "case=nope", "--timeout", "60s")
        self.assertEqual((done.status, done.out), (1, b"there is no such case: case=nope\r\n"))


if __name__ == "__main__":
    machine.main()
