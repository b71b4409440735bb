#!/usr/bin/env python3
"""The guests that are interrupted, that idle and that change what is mapped: the exits to user space that are
determined, and what the options of `run` for them do."""

import re

import machine
from machine import KVM_EXIT_IO, MARK

KVM_EXIT_IOAPIC_EOI = 26
SOURCE = 0xE40
RAISE = (KVM_EXIT_IO, SOURCE + 0x1C, "write", 4)
DEASSERT = (KVM_EXIT_IO, SOURCE + 0x24, "write", 4)
WAYS = {"full": ("irqfd", "line", "route", "message"), "split": ("line", "route", "message")}


def results(done):
    """The figures of each line of results, by its arm."""
    found = {}
    for line in done.out.decode().splitlines():
        words = line.split()
        if words[:1] == ["result"]:
            found[words[1].removeprefix("arm=")] = {key: int(value) for key, value in (word.split("=") for word in words[2:])}
    return found


class Interrupts(machine.Case):
    def interrupted(self, options, *arguments):
        done = self.account("@interrupts", "--interrupt-source", "--cmdline", f"gap_us=20 {options}", *arguments)
        self.expect(done, 0)
        return done, results(done)

    def without_repeats(self, options, *arguments):
        """A run whose interrupts all came at once: one that takes a second is raised again, and counts twice."""
        for _ in range(3):
            done, figures = self.interrupted(options, *arguments)
            if figures["clock"]["repeats"] == 0:
                return done, figures
        return self.skipTest("this host takes a second for an interrupt, again and again")

    def test_each_way_brings_every_interrupt_with_no_more_exits_than_its_own(self):
        n = 60
        for irqchip, ways in WAYS.items():
            for way in ways:
                for state in ("spin", "halt"):
                    with self.subTest(irqchip=irqchip, way=way, state=state):
                        done, figures = self.without_repeats(f"way={way} state={state} n={n}", "--irqchip", irqchip)
                        wanted = {RAISE: 1, MARK: 1}
                        handled = n + figures["clock"]["again"]  # a KVM may deliver a level's interrupt twice
                        if way == "line":
                            wanted[DEASSERT] = handled
                        keys = machine.keys_of(done.report, machine.phase_of(done.report, 0x71))
                        self.expect_counts([key for key in keys if key["reason"] != KVM_EXIT_IOAPIC_EOI], wanted)
                        # KVM may tell the last one after the next exit.
                        ends = sum(key["count"] for key in machine.keys_of(done.report) if key["reason"] == KVM_EXIT_IOAPIC_EOI)
                        self.assertEqual(ends, handled if way == "line" and irqchip == "split" else 0)
                        self.assertEqual(figures["latency"]["rounds"], n)
                        self.assertEqual(figures["round-trip"]["rounds"], n - 1)

    def test_a_page_that_is_looked_at_brings_them_without_an_exit(self):
        for irqchip in ("full", "split", "none"):
            with self.subTest(irqchip=irqchip):
                done, figures = self.interrupted("way=page n=60", "--irqchip", irqchip)
                phase = machine.phase_of(done.report, 0x71)
                self.expect_counts(machine.keys_of(done.report, phase), {RAISE: 1, MARK: 1})
                self.assertEqual(figures["latency"]["rounds"], 60)

    def test_no_interrupt_is_handled_before_it_is_raised(self):
        for _ in range(3):
            _, figures = self.interrupted("way=route n=200")
            if figures["clock"]["uncertainty"] == 0:
                self.assertEqual(figures["clock"]["early"], 0)

    def test_a_way_that_the_machine_has_not_ends_the_guest_with_a_line(self):
        for arguments, said in (
            (["--cmdline", "way=irqfd", "--interrupt-source", "--irqchip", "split"], b"cannot interrupt in that way"),
            (["--cmdline", "way=line", "--interrupt-source", "--irqchip", "none"], b"cannot interrupt in that way"),
            (["--cmdline", "way=page state=halt", "--interrupt-source"], b"nothing to wake it up"),
            ([], b"--interrupt-source"),
        ):
            with self.subTest(arguments=arguments):
                done = self.run_program("run", "@interrupts", *arguments, "--report", "none")
                self.expect(done, 1)
                self.assertIn(said, done.out)

    def test_the_interrupt_source_counts_what_it_has_done(self):
        done, _ = self.without_repeats("way=message n=60")
        (counted,) = [one["counts"] for one in done.report["operations"] if one["device"] == "interrupt-source"]
        self.assertEqual(counted, [{"name": "interrupts", "count": 60}])


class Idle(machine.Case):
    def idle(self, options, *arguments):
        done = self.account("@idle", "--cmdline", options, *arguments)
        self.expect(done, 0)
        return done, results(done)

    def test_a_timer_of_kvms_wakes_an_idle_guest_without_an_exit_to_user_space(self):
        for timer, irqchips in (("oneshot", ("full", "split")), ("periodic", ("full", "split")), ("pit", ("full",))):
            for irqchip in irqchips:
                with self.subTest(timer=timer, irqchip=irqchip):
                    done, figures = self.idle(f"ms=100 hz=100 timer={timer} latency=5", "--irqchip", irqchip)
                    for mark in (0x30, 0x32):
                        phase = machine.phase_of(done.report, mark)
                        self.expect_counts(machine.keys_of(done.report, phase), {MARK: 1})
                    self.assertEqual(figures["window"]["ticks"], 10)
                    self.assertEqual(figures["latency"]["rounds"], 5)

    def test_no_time_at_all_is_no_wake_up(self):
        done, figures = self.idle("ms=0 hz=100 latency=3")
        self.assertEqual(figures["window"]["ticks"], 0)

    def test_without_halt_polling_kvm_polls_for_no_halt(self):
        done, _ = self.idle("ms=100 hz=100", "--halt-poll", "0")
        if not done.report["kernel"]["vm"] or not done.report["kernel"]["vcpus"]:
            self.skipTest("this kernel has no counters of a vCPU")
        (vcpu,) = done.report["kernel"]["vcpus"]
        counters = {counter["name"]: sum(counter["values"]) for counter in vcpu["counters"]}
        self.assertEqual(counters["halt_attempted_poll"], 0)

    def test_exits_that_are_disabled_leave_the_guest_as_it_is(self):
        done = self.run_program("run", "@idle", "--cmdline", "ms=50 hz=100", "--disable-exits", "hlt", "--report", "none")
        if done.status == 4 and "KVM_CAP_X86_DISABLE_EXITS" in done.err:
            self.skipTest("this KVM cannot disable the exits of HLT")
        self.expect(done, 0)
        self.assertEqual(done.out.strip(), b"5 timer wake-ups")


class Paging(machine.Case):
    OPS = "nothing fresh fresh-2m again map remap protect cr3-same cr3-switch cr3-pcid flush invlpg".split()

    def test_no_work_on_memory_needs_user_space(self):
        done = self.account("@paging", "--cmdline", "n=40")
        self.expect(done, 0)
        figures = results(done)
        missing = set(re.findall(rb"(?m)^unavailable arm=(\S+) why=\S", done.out))
        self.assertEqual(set(figures) | {one.decode() for one in missing}, set(self.OPS))
        for number, op in enumerate(self.OPS):
            if op not in figures:
                continue
            with self.subTest(op=op):
                phase = machine.phase_of(done.report, 0x80 + number)
                self.expect_counts(machine.keys_of(done.report, phase), {MARK: 1})
                self.assertEqual(figures[op]["rounds"], 16 if op == "fresh-2m" else 40)
                self.assertEqual(figures[op]["us2"], 1)

    def test_each_op_can_be_done_alone(self):
        for op in self.OPS:
            with self.subTest(op=op):
                done = self.run_program("run", "@paging", "--cmdline", f"n=10 op={op}", "--report", "none")
                self.expect(done, 0)
                self.assertRegex(done.out, f"^(result|unavailable) arm={op} ".encode())
                self.assertEqual(done.out.count(b"\n"), 1)


if __name__ == "__main__":
    machine.main()
