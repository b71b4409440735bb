#!/usr/bin/env python3
"""kvmbench trace of another program's VM on the host's own KVM, whether it announces hardware exits or not.

What is counted exactly is tested where the hardware's exits are known: tests/lab/trace_test.py.
"""

import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import machine
import program

BUSY = ("run", "@mix", "--cmdline", "n=1000000000 kinds=port", "--serial", "null", "--report", "none")


def obstacle():
    """Why nothing can be traced here, or None."""
    if why_not := machine.why_not():
        return why_not
    done = subprocess.run([program.KVMBENCH, "host"], capture_output=True, text=True, timeout=program.PATIENCE)
    found = re.search(r"(?m)^Tracing of hardware exits .*\n  (.*)$", done.stdout)
    if found is None:
        return f"kvmbench host does not tell: {done}"
    return None if found.group(1) == "possible" else found.group(1)


class OnTerminal:
    """kvmbench on a terminal of its own: what it writes, and keys for it."""

    def __init__(self, case, *arguments, columns=80):
        self.case = case
        self.output = b""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.execv("/bin/sh", ["sh", "-c", f'stty cols {columns} rows 24; exec "$0" "$@"', program.KVMBENCH,
                                 *map(str, arguments)])
        case.addCleanup(self._end)

    def _end(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.terminal)

    def read(self):
        """False when the other side has gone."""
        if select.select([self.terminal], [], [], 1)[0]:
            try:
                self.output += os.read(self.terminal, 65536)
            except OSError:
                return False
        return True

    def wait_for(self, text):
        limit = time.monotonic() + program.PATIENCE
        begin = len(self.output)
        while text not in self.output[begin:]:
            self.case.assertTrue(self.read() and time.monotonic() < limit, (text, self.output[-3000:]))

    def press(self, key):
        os.write(self.terminal, key)

    def finish(self):
        limit = time.monotonic() + program.PATIENCE
        while self.read():
            self.case.assertLess(time.monotonic(), limit, self.output[-3000:])
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.pid = 0
        return status


class Trace(machine.Case):
    def busy(self):
        """A VM that is at work."""
        process = self.start(*BUSY)
        self.wait_until(lambda: "kvm-vcpu" in self.descriptors(process.pid), process)
        return process

    @staticmethod
    def descriptors(pid):
        names = []
        for entry in os.scandir(f"/proc/{pid}/fd"):
            try:
                names.append(os.readlink(entry.path))
            except OSError:  # closed meanwhile
                pass
        return " ".join(names)

    def end(self, process):
        process.send_signal(signal.SIGTERM)
        self.finish(process)

    def test_a_trace_tells_exits_or_says_that_there_are_none_to_trace(self):
        vm = self.busy()
        done = self.run_program("trace", "-p", vm.pid, "-d", "1s", "--report", "json")
        self.expect(done, 0)
        report = json.loads(done.out)
        self.expect_valid(report, "report")
        hardware = report["hardware"]
        returns = sum(each["count"] for vcpu in hardware["vcpus"] for each in vcpu["returns"])
        details = sum(each["count"] for vcpu in hardware["vcpus"] for each in vcpu["details"] if each["kind"] == "port")
        self.assertGreater(returns, 0)
        self.assertGreater(details, 0)
        self.end(vm)

    def test_live_without_a_terminal_a_line_a_second_until_the_vm_has_ended(self):
        vm = self.busy()
        trace = self.start("trace", "-p", vm.pid, "--live", "--report", "none")
        lines = [trace.stderr.readline().decode() for _ in range(2)]
        for line in lines:
            self.assertRegex(line, rf"kvmbench: {vm.pid} kvmbench  .*/s")
        self.end(vm)
        done = self.finish(trace)
        self.expect(done, 0)
        self.assertIn(f"the VM of process {vm.pid} kvmbench has ended", done.err)

    def test_live_keys_look_into_a_reason_and_q_leaves_the_terminal_as_it_was(self):
        vm = self.busy()
        live = OnTerminal(self, "trace", "-p", vm.pid, "--live", "--report", "none")
        live.wait_for(b"exits/s")
        live.wait_for(b"> ")
        live.press(b"2")
        live.wait_for(b"port 0x2f00")
        live.press(b"3")
        live.wait_for(b"> vcpu 0")
        live.press(b"p")
        live.wait_for(b"PAUSED")
        live.press(b"q")
        self.assertEqual(live.finish(), 0)
        self.assertIn(b"\x1b[?1049h", live.output)
        self.assertGreater(live.output.rindex(b"\x1b[?1049l"), live.output.rindex(b"exits/s"))
        self.end(vm)

    def test_live_a_vm_that_ends_and_one_that_starts_meanwhile_are_told(self):
        first = self.busy()
        live = OnTerminal(self, "trace", "--all", "--live", "--report", "none", columns=120)
        live.wait_for(b"exits/s")
        second = self.busy()
        live.wait_for(f"a VM has started: process {second.pid}".encode())
        self.end(first)
        live.wait_for(f"the VM of process {first.pid} kvmbench has ended".encode())
        live.press(b"\x03")
        self.assertEqual(live.finish(), 0)
        # Told again when the table is gone.
        told = live.output[live.output.rindex(b"\x1b[?1049l"):]
        self.assertIn(f"kvmbench: a VM has started: process {second.pid}".encode(), told)
        self.end(second)

    def test_samples_are_printed_at_intervals(self):
        vm = self.busy()
        done = self.run_program("trace", "-p", vm.pid, "-i", "500ms", "-d", "2s", "--report", "none")
        self.expect(done, 0)
        self.assertRegex(done.out.decode(), rf"(?m)^{vm.pid} kvmbench after ")
        self.end(vm)

    def test_what_has_no_vm_is_refused(self):
        self.expect_refusal(self.run_program("trace", "-p", os.getpid()), 2, "this process has no VM")
        self.expect_refusal(self.run_program("trace", "--vm", "no such name"), 2, "no such name")
        self.expect_refusal(self.run_program("trace", "--list", "--live"), 2, "--live")
        self.expect_refusal(self.run_program("trace", "--all", "--report", "folded"), 2, "folded", "--rip")

    def test_a_trace_is_held_to_a_budget(self):
        vm = self.busy()
        trace = ("trace", "-p", vm.pid, "-d", "1s", "--report", "none")
        done = self.run_program(*trace, "--expect", "hardware > 0", "--expect", "hardware.rate < 1")
        self.expect(done, 3)
        self.assertIn("pass: hardware > 0: ", done.err)
        self.assertIn("FAIL: hardware.rate < 1: ", done.err)
        self.expect_refusal(self.run_program(*trace, "--expect", "mmio.count <= 5"), 2, "no others")
        self.expect_refusal(self.run_program(*trace, "--expect", "hardware.NPFF <= 5"), 2, "NPFF")
        self.end(vm)


if __name__ == "__main__":
    program.main(obstacle() if program.KVMBENCH else None)
