#!/usr/bin/env python3
"""A stock Debian guest's traffic over a tap device in a network namespace, in the lab: pings, and 16 MiB each way with
equal checksums, before and after the driver is taken from the card and given back.

network_test.py Virtio | E1000

LASTING in the environment: for how many seconds the e1000's traffic goes on after that (default 10).
"""

import hashlib
import os
import random
import re
import shutil
import unittest

import lab
import linux_test

MIB16 = 16 << 20
# noxsave and nohz=off because of the lab's emulation (scripts/lab, "gaps").
PARAMETERS = "console=ttyS0 quiet noxsave nohz=off panic=-1"
HOST = "192.168.77.1"


class Traffic(lab.GuestRuns):
    """The tests of each card; a subclass says which."""

    LASTING = 0  # seconds
    FLAVOUR = MODEL = DRIVER = BUS = ""
    MODULES = ()
    # What else is behind --net: a run of a guest each.
    OPTIONS = ("",)

    @classmethod
    def script(cls):
        lines = [
            "mkfifo endless  # an input without end for nc, which ends with it (network_init)",
            "tunctl -t tap0 >&2",
            f"ip addr add {HOST}/24 dev tap0",
            "ip link set tap0 up",
            "nc -l -p 5003 <>endless >/dev/null & endurance=$!",
        ]
        for number, options in enumerate(cls.OPTIONS):
            lines += [
                "for turn in 1 2; do nc -l -p 5001 <file; done & sender=$!",
                f"for turn in 1 2; do nc -l -p 5002 <>endless | sha256sum; done >results/{number}.received & receiver=$!",
                f"bench {number} image --initrd initrd --mem 192M --serial stdio --timeout 500s"
                f" --net tap=tap0,model={cls.MODEL}{options},pcap=pcap"
                f" --cmdline '{PARAMETERS} driver={cls.DRIVER} bus={cls.BUS} lasting={cls.LASTING}'",
                # A guest that has given up leaves them waiting.
                "kill $sender $receiver 2>/dev/null || true",
                f"head -c 65536 pcap >results/{number}.pcap; wc -c <pcap >results/{number}.pcap-size; rm pcap",
            ]
        lines.append("kill $endurance 2>/dev/null || true")
        return "\n".join(lines)

    @classmethod
    def setUpClass(cls):
        cls.file = random.Random(1).randbytes(MIB16)
        with lab.directory() as directory:
            shutil.copy(lab.kernel(cls.FLAVOUR), directory / "image")
            linux_test.write_initramfs(
                directory,
                directory / "initrd",
                init="network_init",
                modules=lab.modules(*cls.MODULES, flavour=cls.FLAVOUR),
            )
            (directory / "file").write_bytes(cls.file)
            cls.results = lab.run(
                directory, cls.script(), "--module", "tun", "--mem", "1100", "--timeout", "900"
            )

    def test_the_guest_ends_by_itself(self):
        self.subtests(lambda _, run: self.assertEqual(self.results.status(run), linux_test.GUEST_POWERED_OFF))

    def test_the_stock_driver_takes_the_card_and_sees_its_address_and_link(self):
        def check(output, _):
            self.assertIn(f"\ndriver: {self.DRIVER}\n", output)
            for turn in ("first", "second"):
                self.assertIn(f"\n{turn} carrier: 1\n", output)
                self.assertIn(f"\n{turn} address: 02:6b:76:6d:62:00\n", output)

        self.subtests(check)

    def test_every_ping_is_answered(self):
        def check(output, _):
            for turn in ("first", "second"):
                self.assertIn(f"\n{turn} pings: 50 packets received\n", output)
                self.assertIn(f"\n{turn} long pings: 20 packets received\n", output)

        self.subtests(check)

    def test_a_file_arrives_as_it_was_in_both_directions(self):
        def check(output, run):
            digest = hashlib.sha256(self.file).hexdigest()
            received = re.findall(r"^(\w{64})", self.results.text(f"{run}.received"), re.MULTILINE)
            self.assertEqual(len(received), 2)
            for turn, arrived in zip(("first", "second"), received):
                self.assertIn(f"\n{turn} got: {MIB16} {digest}", output)
                self.assertIn(f"\n{turn} sent: {arrived}", output)

        self.subtests(check)

    def test_the_driver_can_be_taken_away_and_given_back(self):
        def check(output, _):
            for turn in (1, 2, 3):
                self.assertIn(f"\nunbound: {turn}\n", output)

        self.subtests(check)

    def test_neither_driver_nor_kernel_complains(self):
        def check(output, _):
            self.assertIn("\ncomplaints: 0\n", output)
            for counter in ("rx_errors", "tx_errors", "rx_crc_errors", "rx_length_errors"):
                self.assertIn(f"\n{counter}: 0\n", output)

        self.subtests(check)

    def test_the_report_counts_what_has_passed(self):
        def check(_, run):
            devices = self.results.report(run)["operations"]
            done = [{count["name"]: count["count"] for count in device["counts"]} for device in devices]
            (operations,) = [counts for counts in done if "packets" in counts]
            for direction in ("sent", "received"):
                self.assertGreater(operations[f"bytes {direction}"], 2 * MIB16)
                self.assertGreater(operations[f"packets {direction}"], 140)

        self.subtests(check)

    def test_every_frame_is_in_the_capture_file(self):
        def check(_, run):
            self.assertEqual(self.results.bytes(f"{run}.pcap")[:4], bytes.fromhex("4d3cb2a1"))
            self.assertGreater(int(self.results.text(f"{run}.pcap-size")), 4 * MIB16)

        self.subtests(check)


class Virtio(Traffic, unittest.TestCase):
    FLAVOUR, MODEL, DRIVER, BUS = "cloud", "virtio", "virtio_net", "virtio"
    MODULES = ("virtio_mmio", "virtio_net")
    OPTIONS = ("", ",ring=packed,kick=exit")


class E1000(Traffic, unittest.TestCase):
    FLAVOUR, MODEL, DRIVER, BUS = "generic", "e1000", "e1000", "pci"
    MODULES = ("e1000",)
    LASTING = int(os.environ.get("LASTING", "10"))

    def test_traffic_goes_on_without_a_loss(self):
        def check(output, _):
            sent, received, lost = re.search(
                r"\nlasting: (\d+) (\d+) packets received, (\d+)% packet loss\n", output
            ).groups()
            self.assertEqual((sent, lost), (received, "0"))
            self.assertGreater(int(sent), 10)

        self.subtests(check)


if __name__ == "__main__":
    lab.main()
