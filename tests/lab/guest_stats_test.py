#!/usr/bin/env python3
"""kvmbench-guest in a stock Debian guest, in the lab: the counts that it prints right after boot, after an idle
interval and after a burst of serial output are those of the host's report for the same phases.

The built-in guests that use the interface, and a guest without it, run in the same boot of the lab.
"""

import json
import os
import pathlib
import re
import shutil
import unittest

import lab
import linux_test
from guest_counts import (
    KVM_EXIT_IO,
    OWN_EXITS,
    REASONS,
    Boot,
    count_of,
    exits_of_name,
    exits_of_reading,
    is_ours,
    number_of,
    others_count,
)

BURST = 2000
RUN_BURST = 100
RUN_STATUS = 7
# With the last line of each.
GUESTS = {
    "self": ("", "every way counts the work exactly, and all agree\n"),
    "edges": (f"memory={512 << 20}", "the exit-count interface is as specified\n"),
}
LINUX = {"one": (1, "on"), "two": (2, "on"), "without": (1, "off")}
TRACED = "traced"
# SVM's, that a guest which prints a line and powers off does not cause (AMD APM vol. 2, appendix C).
SETTLED = {0x04: "CR4_READ", 0x14: "CR4_WRITE", 0x65: "CR0_SEL_WRITE", 0x72: "CPUID"}
IOIO = 0x7B
PHASES = ["boot", "idle", "burst", "watch", "run", "at-once", "unprivileged", "told"]


def boot(name, cpus, interface, options=""):
    return (
        f"bench {name} image --initrd initrd --cpus {cpus} --mem 128M --serial stdio --timeout 200s {options}"
        f" --cmdline 'console=ttyS0 quiet noxsave panic=-1 interface={interface}'"
    )


def script():
    for guest, (cmdline, _) in GUESTS.items():
        for cpus in (1, 2):
            yield f"bench {guest}-{cpus} @{guest} --cpus {cpus} --cmdline '{cmdline}'"
    for name, (cpus, interface) in LINUX.items():
        yield boot(name, cpus, interface, "--guest-stats off" if interface == "off" else "")
    yield boot(TRACED, 1, "traced", "--trace")


class GuestStats(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        with lab.directory() as directory:
            shutil.copy(lab.kernel(), directory / "image")
            program = pathlib.Path(os.environ["KVMBENCH_GUEST"])
            linux_test.write_initramfs(directory, directory / "initrd", "guest_stats_init", [program])
            cls.results = lab.run(directory, "\n".join(script()), "--mem", "1000", "--timeout", "600")
        for name in (*LINUX, TRACED):
            if cls.results.status(name) != 0:
                raise AssertionError(f"the Linux guest did not power off: {cls.results.everything(name)}")
        cls.boots = {name: Boot(cls.results, name) for name in (*LINUX, TRACED)}

    def with_interface(self, check):
        """Calls check(boot) for each boot of a guest with the interface."""
        for name in ("one", "two"):
            with self.subTest(boot=name):
                check(self.boots[name])

    def each_vcpu(self, check):
        """Calls check(boot, vcpu) for each vCPU of these."""

        def of_boot(boot):
            for vcpu in boot.vcpus():
                with self.subTest(vcpu=vcpu):
                    check(boot, vcpu)

        self.with_interface(of_boot)

    def expect_tool(self, boot, name, status):
        self.assertEqual(boot.tool.status(name), status, boot.tool.everything(name))

    # ---- the phases

    def test_a_phase_that_the_tool_names_is_in_the_report(self):
        def check(boot):
            for name in PHASES:
                self.expect_tool(boot, f"phase-{name}", 0)
            named = [phase["text"] for phase in boot.report["phases"] if phase["kind"] == "named"]
            self.assertEqual(named, PHASES)

        self.with_interface(check)

    def test_a_reading_begins_with_the_hosts_count_of_the_phases_before(self):
        # Nothing comes before the first reading of a phase but the tool's own start, which causes no exit to user
        # space. So its count of I/O exits, without its own, is the host's of all phases before: equal.
        def check(boot, vcpu):
            for phase in ("boot", "idle", "burst", "watch", "run"):
                reading = boot.readings(phase if phase in ("watch", "run") else f"{phase}-1")[0]
                if phase == "run":  # it prints one sample, after the command; what has come before is the difference
                    own, increase = (part["vcpus"][vcpu] for part in (reading, reading["increase"]))
                    counted = count_of(own) - count_of(increase) - (own["own_exits"] - increase["own_exits"])
                else:
                    counted = others_count(reading["vcpus"][vcpu])
                self.assertEqual(counted, boot.before(vcpu, phase), phase)

        self.each_vcpu(check)

    def test_a_reading_has_every_other_reason_as_the_host_has(self):
        # The other reasons occur at boot (and when the host sends a vCPU a signal, at any time): a reading contains
        # those of the phases before it, and some of its own phase's.
        def check(boot, vcpu):
            reasons = {number_of(key) for key in boot.report["vcpus"][vcpu]["keys"]} - {KVM_EXIT_IO}
            for phase, following in zip(PHASES, PHASES[1:3]):
                reading = boot.reading(f"{phase}-1")["vcpus"][vcpu]
                for reason in reasons:
                    self.assertGreaterEqual(count_of(reading, reason), boot.before(vcpu, phase, reason))
                    self.assertLessEqual(count_of(reading, reason), boot.before(vcpu, following, reason))
                self.assertLessEqual({each["number"] for each in reading["reasons"]}, {KVM_EXIT_IO, *reasons})

        self.each_vcpu(check)

    def test_the_cycles_of_a_reading_are_the_hosts_service_time(self):
        # They are asked for at the reading's end, after more of its own exits: between the sums at the two ends of its
        # phase.
        def service(key):
            return key["service"]["sum"]

        def check(boot, vcpu):
            for phase, following in zip(PHASES, PHASES[1:3]):
                cycles = count_of(boot.reading(f"{phase}-1")["vcpus"][vcpu], figure="cycles")
                self.assertGreaterEqual(cycles, boot.before(vcpu, phase, figure=service))
                self.assertLessEqual(cycles, boot.before(vcpu, following, figure=service))

        self.each_vcpu(check)

    def test_the_tools_own_exits_are_those_that_its_questions_take(self):
        # Equal, key by key: the phase "idle" has its two readings and the name of the next phase.
        def check(boot, vcpu):
            readings = [boot.reading(name)["vcpus"][vcpu] for name in ("idle-1", "idle-2")]
            self.assertEqual([reading["own_exits"] for reading in readings], [OWN_EXITS] * 2)
            kinds = sum(len(reading["reasons"]) for reading in readings)
            asked = 2 * (1 + REASONS) + kinds
            wanted = {"leaf": 2 * 3, "reason": asked, "answer": asked}
            if vcpu == 0:  # where the tool spells names
                wanted["phase name"] = exits_of_name("burst")
            counted = {key["register"]: key["count"] for key in boot.keys(vcpu, "idle") if is_ours(key)}
            self.assertEqual(counted, wanted)
            (words,) = [key["transfers"] for key in boot.keys(vcpu, "idle") if key["register"] == "answer"]
            self.assertEqual(words, 4 * asked)

        self.each_vcpu(check)

    def test_between_two_readings_of_an_idle_guest_there_is_nothing_else(self):
        def check(boot, vcpu):
            first, second = (boot.reading(name)["vcpus"][vcpu] for name in ("idle-1", "idle-2"))
            self.assertEqual(others_count(second) - others_count(first), exits_of_reading(first))

        self.each_vcpu(check)

    def test_between_two_readings_the_guest_counts_what_the_host_counts(self):
        # Whichever vCPU writes to the serial port: its exits in this phase lie between these two readings.
        def check(boot, vcpu):
            first, second = (boot.reading(name)["vcpus"][vcpu] for name in ("burst-1", "burst-2"))
            between = others_count(second) - others_count(first) - exits_of_reading(first)
            self.assertEqual(between, boot.not_ours(vcpu, "burst"))

        self.each_vcpu(check)

    def test_a_burst_of_serial_output_is_an_exit_a_character(self):
        def check(boot):
            self.assertEqual(boot.characters("burst"), BURST)
            self.assertEqual(boot.characters("run"), RUN_BURST)
            self.assertEqual(boot.characters("idle"), 0)

        self.with_interface(check)

    def test_the_count_of_all_exits_is_kvms(self):
        # KVM counts the exits that it serves itself too, at any time: only bounds can be given. The exits to user space
        # from one reading's beginning to the next one's are among them; and the host asks KVM once more at the end.
        def check(boot, vcpu):
            names = ("boot-1", "boot-3", "idle-1", "idle-2", "burst-1", "burst-2")
            readings = [boot.reading(name)["vcpus"][vcpu] for name in names]
            for earlier, later in zip(readings, readings[1:]):
                self.assertGreaterEqual(later["exits"] - earlier["exits"], others_count(later) - others_count(earlier))
            self.assertLess(readings[-1]["exits"], boot.report["vcpus"][vcpu]["kernel_exits"])

        self.each_vcpu(check)

    # ---- the forms

    def test_a_sample_is_the_sum_over_its_vcpus(self):
        def check(boot):
            reading = boot.reading("boot-1")
            self.assertEqual([vcpu["vcpu"] for vcpu in reading["vcpus"]], list(boot.vcpus()))
            for figure in ("exits", "cycles", "own_exits"):
                self.assertEqual(reading[figure], sum(vcpu[figure] for vcpu in reading["vcpus"]))
            for reason in reading["reasons"]:
                for figure in ("count", "cycles"):
                    parts = [count_of(vcpu, reason["number"], figure) for vcpu in reading["vcpus"]]
                    self.assertEqual(reason[figure], sum(parts))

        self.with_interface(check)

    def test_hardware_reasons_are_not_counted_and_their_numbers_are_SVMs(self):
        # The answers themselves: @edges, which asks by SVM's numbers where the vendor is SVM.
        def check(boot):
            reading = boot.reading("boot-1")
            self.assertEqual((reading["vendor"], reading["hardware_reasons"]), ("SVM", False))
            self.assertEqual({each["kind"] for each in reading["reasons"]}, {"userspace"})
            self.assertIn("(the host does not count hardware reasons", boot.tool.text("boot-2.out"))

        self.with_interface(check)

    def test_the_reasons_as_text_have_the_same_counts(self):
        # This reading came between two in JSON, with nothing else: it has the exits of the one before.
        def check(boot):
            self.expect_tool(boot, "boot-2", 0)
            lines = re.findall(r"^userspace +(\d+)  (\S+) +(\d+) +(\d+)$", boot.tool.text("boot-2.out"), re.MULTILINE)
            printed = {int(number): (name, int(count)) for number, name, count, _ in lines}
            before, after = (boot.reading(name) for name in ("boot-1", "boot-3"))
            wanted = {each["number"]: (each["name"], each["count"]) for each in before["reasons"]}
            name, count = wanted[KVM_EXIT_IO]
            wanted[KVM_EXIT_IO] = (name, count + sum(map(exits_of_reading, before["vcpus"])))
            self.assertEqual(printed, wanted)
            for _, _, _, cycles in lines:
                self.assertLess(int(cycles), after["cycles"])

        self.with_interface(check)

    def test_the_total_is_one_line(self):
        def check(boot):
            self.expect_tool(boot, "boot-4", 0)
            text = boot.tool.text("boot-4.out")
            line = re.fullmatch(r"CPUID\(0x4FFFFFFF\), exits=(\d+), cycles spent in exit=(\d+)\n", text)
            exits, cycles = map(int, line.groups())
            before, after = (boot.reading(name) for name in ("boot-3", "boot-5"))
            self.assertTrue(before["exits"] < exits < after["exits"], (before, text, after))
            self.assertTrue(before["cycles"] < cycles < after["cycles"], (before, text, after))

        self.with_interface(check)

    def test_watch_shows_its_own_exits_and_in_an_idle_guest_no_others(self):
        def check(boot):
            self.expect_tool(boot, "watch", 0)
            first, *later = boot.readings("watch")
            self.assertNotIn("increase", first)
            self.assertEqual(len(later), 2)
            for reading in later:
                increase = reading["increase"]
                self.assertGreaterEqual(increase["seconds"], 1)
                for vcpu in increase["vcpus"]:
                    self.assertEqual(count_of(vcpu), vcpu["own_exits"])
                self.assertEqual(increase["own_exits"], sum(map(exits_of_reading, first["vcpus"])))

        self.with_interface(check)

    def test_watch_marks_the_fastest_reason(self):
        def check(boot):
            self.expect_tool(boot, "watch-text", 0)
            text = boot.tool.text("watch-text.out")
            own = boot.readings("watch")[1]["increase"]["own_exits"]
            self.assertTrue(text.startswith("CPUID(0x4FFFFFFF), exits="), text)
            self.assertEqual(len(re.findall(r"^after \d+\.\d\d s: exits=\d+, \+\d+$", text, re.MULTILINE)), 2)
            marked = re.findall(r"^userspace +(\d+) .* (\d+) +[\d.]+  <- fastest$", text, re.MULTILINE)
            self.assertEqual(marked, [(str(KVM_EXIT_IO), str(own))] * 2)

        self.with_interface(check)

    def test_run_prints_what_its_command_caused(self):
        # All that is not at the interface's ports in this phase is the command's; what runs after it writes nothing.
        def check(boot, vcpu):
            self.expect_tool(boot, "run", RUN_STATUS)
            increase = boot.reading("run")["increase"]["vcpus"][vcpu]
            self.assertEqual(count_of(increase) - increase["own_exits"], boot.not_ours(vcpu, "run"))

        self.each_vcpu(check)

    def test_run_keeps_apart_what_its_command_prints(self):
        def check(boot):
            self.assertRegex(boot.tool.text("run.out"), r"\Apid \d+'s current affinity mask: [13]\n\Z")
            self.expect_tool(boot, "run-text", 0)
            self.assertEqual(boot.tool.text("run-text.out"), "")
            counted = r"\Ain \d+\.\d{3} s: exits=\d+, cycles spent in exit=\d+\n"
            self.assertRegex(boot.tool.text("run-text.err"), counted)

        self.with_interface(check)

    def test_run_ends_as_its_command_does(self):
        def check(boot):
            self.expect_tool(boot, "run-killed", 128 + 9)
            self.expect_tool(boot, "run-missing", 127)
            self.assertIn("cannot run /no/such/program: No such file or directory", boot.tool.text("run-missing.err"))

        self.with_interface(check)

    # ---- several at once, and whose vCPU

    def test_several_at_once_do_not_mix_their_questions(self):
        # One after the other has the vCPUs to itself: in their order, each finds the exits of the one before it.
        def check(boot):
            readings = sorted((boot.reading(f"at-once-{i}") for i in (1, 2, 3, 4)), key=count_of)
            for earlier, later in zip(readings, readings[1:]):
                for before, after in zip(earlier["vcpus"], later["vcpus"]):
                    self.assertEqual(others_count(after) - others_count(before), exits_of_reading(before))
                    self.assertEqual(after["own_exits"], OWN_EXITS)

        self.with_interface(check)

    def test_wherever_it_is_pinned_it_asks_every_vcpu(self):
        def check(boot):
            vcpus = list(boot.vcpus())
            for cpu in vcpus:
                self.expect_tool(boot, f"pinned-{cpu}", 0)
                self.assertEqual([vcpu["vcpu"] for vcpu in boot.reading(f"pinned-{cpu}")["vcpus"]], vcpus)
                self.assertRegex(boot.tool.text(f"affinity-{cpu}.out"), rf"affinity mask: {1 << cpu}\n\Z")

        self.with_interface(check)

    # ---- with the tracer

    def hardware_in_guest(self):
        """By reason, of the reading that is the last thing the guest does but for printing it."""
        lines = self.results.text(f"{TRACED}.out").splitlines()
        (reading,) = [json.loads(line) for line in lines if line.startswith("{")]
        self.assertTrue(reading["hardware_reasons"])
        return {each["number"]: each for each in reading["reasons"] if each["kind"] == "hardware"}, reading

    def test_a_guest_that_is_traced_reads_the_hosts_counts_and_times_by_hardware_reason(self):
        guest, reading = self.hardware_in_guest()
        hardware = self.boots[TRACED].report["hardware"]
        self.assertEqual(hardware["unexplained"], 0)
        host = {each["reason"]: each for each in hardware["by_reason"]}
        for reason in SETTLED:
            nanoseconds = host[reason]["out_of_guest"]["sum"]
            wanted = (host[reason]["count"], nanoseconds * reading["tsc_khz"] // 1_000_000)
            self.assertEqual((guest[reason]["count"], guest[reason]["cycles"]), wanted)
        self.assertEqual(guest.keys() - host.keys(), set())
        for reason, each in guest.items():
            self.assertLessEqual(each["count"], host[reason]["count"])
        # All but what comes from its last question on: the answers, the line of text, and the way out.
        self.assertGreater(sum(each["count"] for each in guest.values()), 0.5 * hardware["exits"])

    def test_a_guest_that_is_traced_prints_the_vendors_names(self):
        guest, _ = self.hardware_in_guest()
        self.assertEqual({reason: guest[reason]["name"] for reason in SETTLED}, SETTLED)
        self.expect_tool(self.boots[TRACED], "table", 0)
        table = self.boots[TRACED].tool.text("table.out")
        self.assertNotIn("does not count hardware reasons", table)
        for reason, name in {**SETTLED, IOIO: "IOIO", 0x400: "NPF"}.items():
            self.assertRegex(table, rf"(?m)^hardware +{reason:#x}  {name} +\d+ +\d+$")

    def test_a_command_under_the_tool_is_charged_with_its_hardware_exits(self):
        self.expect_tool(self.boots[TRACED], "burst", 0)
        increase = self.boots[TRACED].reading("burst")["increase"]
        ports = [each["count"] for each in increase["reasons"] if (each["kind"], each["number"]) == ("hardware", IOIO)]
        self.assertGreaterEqual(sum(ports), RUN_BURST)
        for each in increase["reasons"]:
            self.assertGreater(each["cycles"], 0)

    # ---- without

    def test_without_permission_the_tool_names_it(self):
        def check(boot):
            self.expect_tool(boot, "unprivileged", 3)
            self.assertRegex(
                boot.tool.text("unprivileged.err"),
                r"\Akvmbench-guest: no permission for the I/O ports 0xe00 to 0xe1f "
                r"\(ioperm: Operation not permitted\): .*root.*CAP_SYS_RAWIO.*iopl.*\n\Z",
            )

        self.with_interface(check)

    def test_without_the_interface_the_tool_says_that_this_is_no_kvmbench_guest(self):
        boot = self.boots["without"]
        for command in ("total", "reasons", "watch", "run", "phase"):
            with self.subTest(command=command):
                name = f"off-{command}"
                self.expect_tool(boot, name, 2)
                self.assertEqual(boot.tool.text(f"{name}.out"), "")
                message = r"\Akvmbench-guest: this machine is not a kvmbench guest: [^\n]*\n\Z"
                self.assertRegex(boot.tool.text(f"{name}.err"), message)
        for vcpu in boot.report["vcpus"]:
            self.assertEqual([key for key in vcpu["keys"] if is_ours(key)], [])

    # ---- the built-in guests

    def test_the_built_in_guests_find_the_interface_as_specified(self):
        for guest, (_, last_line) in GUESTS.items():
            for cpus in (1, 2):
                name = f"{guest}-{cpus}"
                with self.subTest(guest=name):
                    self.assertEqual(self.results.status(name), 0, self.results.everything(name))
                    self.assertTrue(self.results.text(f"{name}.out").endswith(last_line), self.results.everything(name))


if __name__ == "__main__":
    lab.main()
