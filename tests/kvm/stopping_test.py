#!/usr/bin/env python3
"""Each way a run can end, with its exit status, what is said of it, and the account, of which nothing is lost."""

import fcntl
import signal

import machine
import program
from machine import EXIT_0, PORT

FOR_EVER = ["--cmdline", "kinds=port budget_ms=3600000"]  # of @mix

# Code for --mode 64, in hexadecimal.
WRITE_PM1_CNT = "66ba0406 66b8{} 66ef"  # mov dx,0x604; mov ax,VALUE; out dx,ax
SLEEP_S5 = WRITE_PM1_CNT.format("0034")  # SLP_TYP 5 | SLP_EN
SLEEP_OTHER = WRITE_PM1_CNT.format("0024")  # SLP_TYP 1 | SLP_EN
EXIT_9 = "b009 e6f4"
HALT = "f4"
LOOP = "ebfe"
# mov dx,0x3f8; then for ever: mov ecx,0x10000; mov esi,0x100000; rep outsb
SERIAL_FOR_EVER = "66baf803 b900000100 be00001000 f36e ebf2"
CMPXCHG16B = "480fc70f b000 e6f4"  # cmpxchg16b [rdi]; then status 0


class Guest(machine.Case):
    """The guest's own ways."""

    def test_the_status_is_the_low_8_bits_of_what_the_guest_writes_to_port_0xf4(self):
        for value in (0, 1, 7, 0x7F, 0xFF, 0x100, 0x01020307, 0xFFFFFF00):
            with self.subTest(value=hex(value)):
                done = self.raw(b"\xb8" + value.to_bytes(4, "little") + b"\xe7\xf4")
                self.expect(done, value & 0xFF)
                self.assertEqual(done.report["exit_status"], value & 0xFF)
                self.assertEqual(done.err, "")

    def test_acpi_s5_powers_off_with_status_0_and_begins_a_phase(self):
        done = self.raw(SLEEP_S5)
        self.expect(done, 0)
        self.assertEqual(done.report["ending"], "guest powered off")
        self.assertEqual([phase["kind"] for phase in done.report["phases"]], ["start", "power_off"])

    def test_another_sleep_type_does_nothing(self):
        self.expect(self.raw(SLEEP_OTHER + EXIT_9), 9)

    def test_each_reset_register_ends_with_status_6_and_is_named(self):
        resets = {
            "0xcf9": "b006 66baf90c ee",  # mov al,6; mov dx,0xcf9; out dx,al
            "0x92": "b001 e692",
            "i8042": "b0fe e664",
        }
        for name, code in resets.items():
            with self.subTest(register=name):
                done = self.raw(code)
                self.expect(done, 6)
                self.assertRegex(done.err, rf"\Akvmbench: guest asked for a reset by [^\n]*{name}[^\n]*\n\Z")

    def test_a_triple_fault_ends_with_status_5_and_the_registers(self):
        done = self.account("@crash")
        self.expect(done, 5)
        self.assertIn("triple fault", done.err)
        self.assertIn("(ud2)", done.err)
        for register in ("rip", "rsp", "rflags", "rax", "r15", "cr0", "cr3", "efer", "gdt", "idt"):
            self.assertRegex(done.err, rf"\b{register} ")

    def test_a_triple_fault_shows_the_registers_the_guest_had(self):
        # mov eax,0x11223344; mov ecx,0x55667788; ud2, without an IDT
        done = self.raw("b844332211 b988776655 0f0b")
        self.expect(done, 5)
        self.assertIn("rip 000000000010000a", done.err)
        self.assertIn("rax 0000000011223344", done.err)
        self.assertIn("rcx 0000000055667788", done.err)
        self.assertIn("at rip: 0f 0b", done.err)

    def test_a_halt_that_nothing_can_end_ends_the_run(self):
        done = self.raw(HALT, "--irqchip", "none")
        self.expect(done, 0)
        self.assertIn("halted", done.err)
        self.expect_counts(machine.keys_of(done.report), {(machine.KVM_EXIT_HLT, 0, "none", 0): 1})

    def test_an_instruction_that_kvm_cannot_emulate_is_named(self):
        done = self.raw(CMPXCHG16B)
        if done.status == 0:
            self.skipTest("this host runs kernel code by itself: it lacks no instruction")
        self.expect(done, 4)
        self.assertIn("cmpxchg16b", done.err)
        self.assertIn("suberror 1", done.err)
        self.assertIn("at rip: 48 0f c7 0f", done.err)
        self.assertEqual({key["reason"] for key in machine.keys_of(done.report)}, {17})  # KVM_EXIT_INTERNAL_ERROR


class Outside(machine.Case):
    """What ends a run from outside."""

    def interrupted(self, number, *arguments):
        """A run that gets a signal after a while, with intervals."""
        report, intervals = self.path / "report.json", self.path / "intervals"
        intervals.unlink(missing_ok=True)
        process = self.start(
            *["run", *arguments, "--report", "json", "--report-file", report],
            *["--interval", "20ms", "--interval-file", intervals],
        )
        self.wait_until(lambda: len(machine.read_intervals(intervals)) >= 3, process)
        process.send_signal(number)
        done = self.finish(process)
        done.report = self.read_report(report, done)
        return done, machine.read_intervals(intervals)

    def test_a_signal_ends_the_run_with_128_and_its_number_and_loses_nothing(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=number.name):
                done, intervals = self.interrupted(number, "@mix", *FOR_EVER)
                self.expect(done, 128 + number)
                self.assertEqual(done.err, f"kvmbench: stopped by {number.name}\n")
                self.assertEqual(done.report["ending"], f"stopped by {number.name}")
                self.assertGreater(machine.counts(machine.keys_of(done.report))[PORT], 0)
                self.assertEqual(machine.interval_counts(intervals), machine.report_counts(done.report))

    def test_a_signal_loses_nothing_of_four_vcpus_either(self):
        done, intervals = self.interrupted(signal.SIGINT, "@smp", "--cpus", "4", "--cmdline", "budget_ms=3600000")
        self.expect(done, 130)
        self.assertEqual(machine.interval_counts(intervals), machine.report_counts(done.report))
        for vcpu in done.report["vcpus"]:
            self.assertEqual(sum(line["vcpus"][vcpu["vcpu"]]["exits"] for line in intervals), vcpu["exits"])

    def test_a_signal_ends_a_guest_that_never_exits_or_sleeps(self):
        for name, code in (("loops", LOOP), ("sleeps", "fa" + HALT)):
            with self.subTest(guest=name):
                done, _ = self.interrupted(signal.SIGTERM, self.file("raw.bin", bytes.fromhex(code)), "--mode", "64")
                self.expect(done, 143)
                self.assertEqual(done.report["exits"], 1)

    def test_a_text_report_follows_a_signal_on_stdout(self):
        process = self.start("run", "@mix", *FOR_EVER, "--interval", "10ms")
        self.wait_until((self.path / "kvmbench-intervals.jsonl").exists, process)
        process.send_signal(signal.SIGINT)
        done = self.finish(process)
        self.expect(done, 130)
        self.assertIn(b"stopped by SIGINT", done.out)
        self.assertIn(b"as many as KVM_RUN returned", done.out)

    def test_the_time_limit_ends_with_status_124(self):
        for guest in (["@spin"], ["@mix", *FOR_EVER], ["@idle", "--cmdline", "seconds=3600 hz=100"]):
            with self.subTest(guest=guest[0]):
                done = self.account(*guest, "--timeout", "100ms")
                self.expect(done, 124)
                self.assertEqual(done.err, "kvmbench: stopped at the time limit\n")

    def test_the_time_limit_takes_each_unit(self):
        for limit in ("100ms", "0.1", "0.1s", "0.001m", "100000us"):
            with self.subTest(limit=limit):
                self.expect(self.run_program("run", "@spin", "--report", "none", "--timeout", limit), 124)

    def test_a_limit_that_is_not_reached_changes_nothing(self):
        done = self.account("@hello", "--timeout", "10m")
        self.expect(done, 0)

    def test_a_reader_that_takes_nothing_does_not_hold_up_a_signal(self):
        # The pipe and what is kept for it fill, and the vCPU waits for room.
        process = self.start(
            *["run", self.file("raw.bin", bytes.fromhex(SERIAL_FOR_EVER)), "--mode", "64", "--report", "none"],
            *["--interval", "20ms", "--interval-file", "intervals"],
        )
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)

        def stands_still():
            lines = machine.read_intervals(self.path / "intervals")
            return sum(line["exits"] for line in lines) > 0 and sum(line["exits"] for line in lines[-3:]) == 0

        self.wait_until(stands_still, process)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=program.PATIENCE), 143)


class Kvm(machine.Case):
    """Returns of KVM_RUN that the host's KVM does not give by itself, made by fake_kvm.c."""

    def faked_exit(self, reason, value):
        image = self.file("raw.bin", EXIT_0)
        return self.account(image, "--mode", "64", env=program.faked(FAKE_KVM_EXIT=f"{reason}:{value}"))

    def test_a_refused_entry_ends_with_status_4_and_the_hardwares_reason(self):
        done = self.faked_exit(9, 0x80000021)  # KVM_EXIT_FAIL_ENTRY: VMX entry failure by invalid guest state
        self.expect(done, 4)
        self.assertIn("KVM_EXIT_FAIL_ENTRY", done.err)
        self.assertIn("0x80000021", done.err)
        self.assertIn("rip 0000000000100000", done.err)

    def test_an_unknown_reason_is_counted_under_its_number(self):
        done = self.faked_exit(4711, 0)
        self.expect(done, 4)
        self.assertIn("4711", done.err)
        self.assertEqual(machine.counts(machine.keys_of(done.report)), {(4711, 0, "none", 0): 1})

    def test_an_error_of_KVM_RUN_is_counted_and_told_by_its_name(self):
        KVM_RUN, EFAULT = 0xAE80, 14
        done = self.account("@hello", env=program.faked(FAKE_KVM_FAIL=f"{KVM_RUN}:{EFAULT}"))
        self.expect(done, 4)
        self.assertRegex(done.err, "KVM_RUN failed: Bad address")
        self.assertEqual([key["reason"] for key in machine.keys_of(done.report)], [0x80000000 + EFAULT])

    def test_an_interruption_without_a_request_to_stop_changes_nothing(self):
        done = self.faked_exit(machine.KVM_EXIT_INTR, 0)
        self.expect(done, 0)
        self.assertGreaterEqual(machine.counts(machine.keys_of(done.report))[machine.STOPPED], 1)


if __name__ == "__main__":
    machine.main()
