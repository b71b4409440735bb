#!/usr/bin/env python3
"""@console on the host's KVM: every line arrives whole and in order, and each exit that it asks for (guests/README.md) is
counted under its register and in its phase."""

import math

import device_guests
import machine
from device_guests import FAILED, ROW, by_register, operations

LINES, RESULT = 0x70, 0x7F


def line(number, size):
    letters = bytes(ord("a") + (number + at) % 26 for at in range(9, size - 1))
    return b"%08d " % number + letters + b"\n"


class Console(device_guests.Case):
    def printed(self, done, count, size):
        """Of a run's output the lines; behind them is the result."""
        lines = b"".join(line(number, size) for number in range(count))
        self.assertEqual(done.out[: len(lines)], lines)
        self.assertEqual(len(done.out), len(lines) + 2 * ROW)

    def test_a_uart_takes_an_exit_a_byte_and_one_for_each_16_bytes(self):
        for count, size in ((1, 10), (20, 64), (3, 17), (2, 4096)):
            with self.subTest(count=count, size=size):
                done = self.guest("@console", f"model=uart n={count} size={size}")
                self.printed(done, count, size)
                fifos = count * math.ceil(size / 16)
                self.expect_phase(done.report, LINES, {("uart0", "THR"): count * size, ("uart0", "LSR"): fifos})
                self.assertEqual(by_register(done.report, RESULT)["uart0", "THR"], 2 * ROW)

    def test_a_virtio_console_takes_an_exit_a_batch_of_lines_or_none(self):
        for ring in ("split", "packed"):
            for more in ("", " indirect=1 event_idx=1"):
                for depth, batch in ((1, 1), (8, 3), (32, 32)):
                    options = f"model=virtio n=50 size=80 depth={depth} batch={batch} ring={ring}{more}"
                    with self.subTest(options=options):
                        kick = self.guest("@console", options, "--console", f"virtio,kick=exit,ring={ring}")
                        self.printed(kick, 50, 80)
                        notified = {("virtio-console0", "QueueNotify"): math.ceil(50 / batch)}
                        self.expect_phase(kick.report, LINES, notified)
                        by_eventfd = self.guest("@console", options, "--console", f"virtio,ring={ring}")
                        self.printed(by_eventfd, 50, 80)
                        self.expect_phase(by_eventfd.report, LINES, {})

    def test_setting_up_a_virtio_console_is_a_known_number_of_accesses(self):
        done = self.guest("@console", "n=1", "--console", "virtio,kick=exit")
        self.expect_virtio_set_up(done.report, "virtio-console0", 2, {})
        self.assertEqual(operations(done.report, "virtio-console0")["bytes sent"], 64)

    def test_without_a_virtio_console_it_is_the_uart_after_a_look_at_each_slot(self):
        done = self.guest("@console", "n=2")
        self.printed(done, 2, 64)
        looked = {key: count for key, count in by_register(done.report).items() if key != device_guests.MARK}
        self.assertEqual(sum(looked.values()), 7)

    def test_a_missing_virtio_console_is_an_error(self):
        done = self.guest("@console", "model=virtio", status=FAILED)
        self.assertEqual(done.out, b"there is no virtio-console\r\n")

    def test_more_in_a_batch_than_in_flight_is_refused(self):
        done = self.guest("@console", "depth=2 batch=3", status=FAILED)
        self.assertEqual(done.out, b"out of range: batch=3\r\n")


if __name__ == "__main__":
    machine.main()
