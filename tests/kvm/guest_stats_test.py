#!/usr/bin/env python3
"""The guest's own view of its exits (docs/guest-interface.md) on the host's KVM: by each way and without any, at its
edges, and against the host's report of the same run."""

import array
import fcntl
import itertools
import re
import struct
import termios
import time

import machine
from machine import END, KVM_EXIT_INTR, KVM_EXIT_IO, MMIO_READ, PORT, SERIAL

KVM_EXIT_X86_RDMSR = 29
ERROR_EAGAIN = 0x80000000 + 11  # an application processor that waits for its start-up IPI

CHOICES = ("port", "msr", "page", "port,msr,page")
CPUS = (1, 4)
AGREED = b"every way counts the work exactly, and all agree\r\n"
AS_SPECIFIED = b"the exit-count interface is as specified\r\n"
NO_INTERFACE = b"this machine has no exit-count interface: it is no kvmbench guest\r\n"

FIRST_PORT = 0xE00
FIRST_MSR = 0x4B4D4200


def port(offset, direction="write"):
    return KVM_EXIT_IO, FIRST_PORT + offset, direction, 4


def msr(index):
    return KVM_EXIT_X86_RDMSR, FIRST_MSR + index, "read", 8


# @self's ways, in its order: what has to be offered for each, and the exits of one reading of five numbers (of all
# exits their count and cycles; the counts of io, mmio and rdmsr).
WAYS = {
    "page": ("page", {}),
    "block": ("port", {port(12): 1}),
    "msr": ("msr", {msr(index): 1 for index in (0, 1, 0x302, 0x306, 0x31D)}),
    # A leaf and a reason for all exits; another leaf, and its three reasons; each answer by one "rep insd".
    "port": ("port", {port(0): 2, port(4): 4, port(8, "read"): 4}),
}
ROUNDS = 300
COST_ROUNDS = 16

WAY = r"\n  (page|block|msr|port)"
NUMBER = r" +(\d+)"


# More than the 64 KiB that wait in the program and the 64 KiB that a pipe takes (fcntl(2), F_SETPIPE_SZ).
OVERFLOWING = 200_000


def readable(pipe):
    """Bytes that wait in it."""
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


def has_stopped_growing(pipe):
    """Whether it has bytes and gets no more within a second: how many fit depends on the sizes of the writes."""
    before = readable(pipe)
    time.sleep(1)
    return 0 < before == readable(pipe)


def slow_byte_and_query():
    """64-bit code: writes so many zero bytes, then asks for the spread and the cycles of KVM_EXIT_IO. It ends with
    status 0 if the longest exit saturates its 32 bits and the cycles need their high register, else with 1 or 2."""

    def out(number, value):  # mov edx, number; mov eax, value; out dx, eax
        return b"\xba" + struct.pack("<I", number) + b"\xb8" + struct.pack("<I", value) + b"\xef"

    def end_if(jump, status):  # jump over: mov edx, 0xf4; mov eax, status; out dx, eax; hlt
        return bytes([jump, 12]) + out(0xF4, status) + b"\xf4"

    read = b"\xba" + struct.pack("<I", FIRST_PORT + 8) + b"\xed"  # mov edx, answer; in eax, dx
    io = 0x10000 + KVM_EXIT_IO
    bytes_out = b"\xb9" + struct.pack("<I", OVERFLOWING) + b"\xba" + struct.pack("<I", 0x3F8) + b"\x31\xc0"
    bytes_out += b"\xee\xff\xc9\x75\xfb"  # out dx, al; dec ecx; jnz to the out
    spread = out(FIRST_PORT, 0x4FFFFFFC) + out(FIRST_PORT + 4, io) + 4 * read  # EDX, the last, is the longest
    spread += b"\x83\xf8\xff" + end_if(0x74, 1)  # cmp eax, -1; je
    cycles = out(FIRST_PORT, 0x4FFFFFFD) + out(FIRST_PORT + 4, io) + 2 * read  # EBX: cycles, high half
    cycles += b"\x85\xc0" + end_if(0x75, 2)  # test eax, eax; jne
    return bytes_out + spread + cycles + out(0xF4, 0) + b"\xf4"


def exits_of_reading(way, reason):
    _, exits = WAYS[way]
    return sum(number for key, number in exits.items() if key[0] == reason)


def exits_of_self(offered, printed):
    """All exits of @self with these ways, which prints so many characters."""
    exits = {PORT: ROUNDS * len(offered), MMIO_READ: ROUNDS * len(offered), SERIAL: printed, END: 1}
    if "page" in offered:
        exits[port(24)] = 1
    for way in offered:
        # The cost of each is measured by the first way: read twice to know what that costs itself, then around each.
        as_meter = 2 + 2 * len(offered) if way == offered[0] else 0
        # Before and after the work; to compare it with the others; to measure its cost.
        readings = 2 + 1 + COST_ROUNDS + as_meter
        for key, number in WAYS[way][1].items():
            exits[key] = number * readings
    return exits


class GuestStats(machine.Case):
    def expect_line(self, done, line, status=0):
        self.expect(done, status)
        self.assertTrue(done.out.endswith(line), done)

    def test_the_interface_is_as_specified_at_its_edges(self):
        for choice, cpus, mebibytes in itertools.product(CHOICES, CPUS, (64, 1024)):
            with self.subTest(guest_stats=choice, cpus=cpus, mebibytes=mebibytes):
                options = ["--guest-stats", choice, "--cpus", cpus, "--mem", f"{mebibytes}M"]
                done = self.account("@edges", *options, "--cmdline", f"memory={mebibytes << 20}")
                self.expect_line(done, AS_SPECIFIED)

    def test_self_prints_what_the_host_counts(self):
        for choice, cpus in itertools.product(CHOICES, CPUS):
            with self.subTest(guest_stats=choice, cpus=cpus):
                options = ["--guest-stats", choice, "--cpus", cpus, "--cmdline", f"n={ROUNDS}"]
                done = self.account("@self", *options)
                self.expect_line(done, AGREED)
                offered = [way for way, (needs, _) in WAYS.items() if needs in choice.split(",")]
                self.check_printed(done.out.decode(), offered)
                first, *others = done.report["vcpus"]
                self.expect_counts(first["keys"], exits_of_self(offered, printed=len(done.out)))
                for vcpu in others:  # @self starts none of them
                    self.assertLessEqual({key["reason"] for key in vcpu["keys"]}, {ERROR_EAGAIN, KVM_EXIT_INTR})

    def check_printed(self, text, offered):
        """The tables say of each way what exits_of_self() says of one reading, and of the work."""
        work, cost = text.split("what one reading of these five numbers costs:")
        counted = {way: map(int, numbers) for way, *numbers in re.findall(WAY + 5 * NUMBER, work)}
        costs = {way: int(exits) for way, exits, _ in re.findall(WAY + 2 * NUMBER, cost)}
        self.assertEqual((list(counted), list(costs)), (offered, offered))
        for way in offered:
            all_exits, _, io, mmio, rdmsr = counted[way]
            by_port, by_msr = (exits_of_reading(way, reason) for reason in (KVM_EXIT_IO, KVM_EXIT_X86_RDMSR))
            self.assertEqual([io, mmio, rdmsr], [ROUNDS + by_port, ROUNDS, by_msr])
            # KVM's own counter has what KVM serves itself too, such as an interrupt of the host.
            self.assertGreaterEqual(all_exits, io + mmio + rdmsr)
            self.assertEqual(costs[way], by_port + by_msr)

    def test_without_it_a_guest_finds_no_interface(self):
        for guest, cpus in itertools.product(("@self", "@edges"), CPUS):
            with self.subTest(guest=guest, cpus=cpus):
                done = self.account(guest, "--guest-stats", "off", "--cpus", cpus)
                self.expect_line(done, NO_INTERFACE, status=1)

    def test_times_of_2_to_the_32_cycles_saturate_or_fill_both_registers(self):
        """A reader that takes nothing for a while makes one byte to the serial port wait that long."""
        run = self.start("run", self.file("raw.bin", slow_byte_and_query()), "--mode", 64, "--report", "none")
        self.wait_until(lambda: has_stopped_growing(run.stdout), run)
        time.sleep(6)  # 2^32 cycles are 4.3 s at 1 GHz, and less on any faster TSC
        done = self.finish(run)
        self.expect(done, 0)
        self.assertEqual(done.out, bytes(OVERFLOWING))

    def test_a_report_is_taken_while_the_guest_asks(self):
        intervals = self.path / "intervals"
        options = ["--interval", "5ms", "--interval-file", intervals]
        done = self.account("@self", "--cmdline", "n=20000", *options)
        self.expect_line(done, AGREED)
        self.assertEqual(machine.interval_counts(machine.read_intervals(intervals)), machine.report_counts(done.report))


if __name__ == "__main__":
    machine.main()
