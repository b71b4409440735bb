#!/usr/bin/env python3
"""kvmbench run --ab: the same guest with emulated and with paravirtual devices, and the comparison of both."""

import json

import machine

LABELS = ["emulated", "paravirtual"]


class Ab(machine.Case):
    def setUp(self):
        super().setUp()
        self.image = self.file("disk.img", bytes(1 << 20))

    def compare(self, service, *arguments):
        done = self.run_program("run", *arguments, "--ab", service, "--report", "json", "--report-file", "ab.json")
        self.expect(done, 0)
        comparison = json.loads((self.path / "ab.json").read_text())
        self.assertEqual([side["label"] for side in comparison["sides"]], LABELS)
        return comparison

    def counts(self, comparison, service, operation):
        (found,) = [
            row["sides"] for row in comparison["operations"] if (row["service"], row["operation"]) == (service, operation)
        ]
        return [side and side["count"] for side in found]

    def keys(self, comparison, device):
        """[exits] of the keys that begin with the device's name, by side."""
        sums = [0, 0]
        for row in comparison["by_key"]:
            if row["name"].startswith(f"{device} "):
                sums = [total + (side["count"] if side else 0) for total, side in zip(sums, row["sides"])]
        return sums

    def test_a_console_is_a_uart_and_then_virtio_console(self):
        comparison = self.compare("console", "@console", "--cmdline", "n=100 size=64")
        result = 2 * 98  # which @console gives to the UART in either case
        self.assertEqual(self.counts(comparison, "console", "bytes sent"), [6400 + result] * 2)
        self.assertEqual(self.keys(comparison, "uart0"), [6400 + 400 + result, result])
        self.assertEqual(self.keys(comparison, "virtio-console0")[0], 0)

    def test_a_disk_is_an_ata_disk_and_then_virtio_blk(self):
        comparison = self.compare("disk", "@disk", "--disk", self.image, "--cmdline", "n=3 size=1024")
        self.assertEqual(self.counts(comparison, "disk", "requests"), [7, 7])
        emulated, paravirtual = self.keys(comparison, "ata0")
        self.assertGreater(emulated, 3 * 512)
        self.assertEqual(paravirtual, 0)
        self.assertEqual(self.keys(comparison, "virtio-blk0")[0], 0)

    def test_a_network_card_is_an_e1000_and_then_virtio_net(self):
        comparison = self.compare("net", "@net", "--net", "echo", "--cmdline", "n=20")
        self.assertEqual(self.counts(comparison, "network", "packets sent"), [21, 21])
        self.assertEqual(self.keys(comparison, "e1000.0")[1], 0)
        self.assertEqual(self.keys(comparison, "virtio-net0")[0], 0)

    def test_all_switches_what_there_is(self):
        comparison = self.compare("all", "@disk", "--disk", self.image, "--cmdline", "n=2 size=512")
        self.assertEqual(self.counts(comparison, "disk", "requests"), [5, 5])

    def test_the_comparison_goes_to_stdout_after_what_the_guests_print(self):
        done = self.run_program("run", "@net", "--net", "echo", "--cmdline", "n=2", "--ab", "net")
        self.expect(done, 0)
        self.assertEqual(done.out.count(b"cycles "), 2)
        self.assertIn(b"Operations of devices", done.out)

    def test_a_run_that_fails_ends_it_with_its_status(self):
        done = self.run_program("run", "@disk", "--disk", self.image, "--cmdline", "size=1", "--ab", "disk")
        self.expect(done, 1)
        self.assertEqual(done.out, b"out of range: size=1\r\n")

    def test_what_cannot_be_compared_is_refused_before_anything_runs(self):
        for arguments, said in (
            (["--ab", "disk"], "--disk"),
            (["--ab", "net"], "--net"),
            (["--ab", "disk", "--disk", f"{self.image},model=ata"], "leave out model="),
            (["--ab", "disk", "--disk", self.image, "--interval", "1s"], "--interval"),
            (["--ab", "frobs"], "--ab"),
        ):
            with self.subTest(arguments=arguments):
                self.expect_refusal(self.run_program("run", "@disk", *arguments), 2, said)


if __name__ == "__main__":
    machine.main()
