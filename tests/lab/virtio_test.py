#!/usr/bin/env python3
"""A stock Debian kernel finds virtio-console and virtio-rng on MMIO, and uses them, however they are connected."""

import re
import shutil
import unittest

import lab
import linux_test

GUEST_POWERED_OFF = 0
CONSOLE, ENTROPY = 3, 4  # device types (VIRTIO 1.2, 5)

# Options of kvmbench, by the name of the boot.
BOOTS = {
    "ioeventfd": "--console virtio --rng host",
    "exit": "--console virtio,kick=exit --rng host,kick=exit",
    "packed": "--console virtio,ring=packed --rng host,ring=packed",
    "held-back": "--console virtio,batch=8,timeout=1ms --rng host,batch=4",
    "split-irqchip": "--console virtio --rng host --irqchip split",
    "paravirtual": "--devices paravirtual --rng host --cpus 2",
}


class Virtio(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        boots = [
            f"dialogue {name} 'which sum?' '6 * 7' image --initrd initrd --mem 128M --timeout 100s {options}"
            f" --cmdline '{linux_test.PARAMETERS}'"
            for name, options in BOOTS.items()
        ]
        modules = lab.modules("virtio_mmio", "virtio_console", "virtio-rng", flavour="cloud")
        with lab.directory() as directory:
            shutil.copy(lab.kernel(), directory / "image")
            linux_test.write_initramfs(directory, directory / "initrd", init="virtio_init", modules=modules)
            cls.results = lab.run(directory, "\n".join(boots), "--mem", "1200", "--timeout", "500")

    def subtests(self, check):
        for name in BOOTS:
            with self.subTest(boot=name):
                try:
                    check("\n" + self.results.text(f"{name}.out"), name)
                except AssertionError as error:
                    raise AssertionError(f"{error}\n{self.results.everything(name)}") from None

    def test_finds_the_devices_in_their_slots(self):
        def check(output, name):
            packed = int(name == "packed")
            self.assertIn(f"\nvirtio0: type 0x{CONSOLE:04x} packed {packed}\n", output)
            self.assertIn(f"\nvirtio1: type 0x{ENTROPY:04x} packed {packed}\n", output)
            self.assertIn("\nirq 7 virtio0\n", output)
            self.assertIn("\nirq 12 virtio1\n", output)

        self.subtests(check)

    def test_answers_what_is_typed_on_hvc0_with_all_of_its_lines(self):
        def check(output, _):
            self.assertIn("\nanswer: 42\n", output)
            lines = [int(line) for line in re.findall(r"\nline (\d+)(?=\n)", output)]
            self.assertEqual(lines, list(range(1, 1001)))

        self.subtests(check)

    def test_takes_entropy_also_after_the_driver_was_bound_again(self):
        def check(output, _):
            self.assertEqual(len(re.findall("rng: virtio_rng", output)), 2)
            self.assertEqual(output.count("entropy differs\n"), 2)  # two consoles share lines
            self.assertIn("\nunbound\n", output)

        self.subtests(check)

    def test_complains_of_nothing(self):
        self.subtests(lambda output, _: self.assertIn("\ncomplaints: 0\n", output))

    def test_ends_with_the_documented_status(self):
        self.subtests(lambda _, name: self.assertEqual(self.results.status(name), GUEST_POWERED_OFF))

    def test_doorbells_are_exits_only_where_they_were_asked_for(self):
        def check(_, name):
            exits = sum(key["count"] for key in self.doorbells(name))
            counted = self.operations(name, "virtio-console0")["doorbells"]
            self.assertGreater(counted, 10)
            if name == "exit":
                self.assertGreaterEqual(exits, counted)
            else:
                self.assertEqual(exits, 0)

        self.subtests(check)

    def test_the_devices_tell_what_they_have_done(self):
        def check(_, name):
            console = self.operations(name, "virtio-console0")
            self.assertGreater(console["bytes sent"], len("line 1000\n") * 900)
            self.assertEqual(console["bytes received"], len("6 * 7\n"))
            self.assertGreaterEqual(self.operations(name, "virtio-rng0")["bytes"], 4 * 4096)
            self.assertGreaterEqual(console["requests"], console["interrupts"])

        self.subtests(check)

    def doorbells(self, name):
        report = self.results.report(name)
        return [key for vcpu in report["vcpus"] for key in vcpu["keys"] if key.get("register") == "QueueNotify"]

    def operations(self, name, device):
        report = self.results.report(name)
        counts = next(each["counts"] for each in report["operations"] if each["device"] == device)
        return {count["name"]: count["count"] for count in counts}


if __name__ == "__main__":
    lab.main()
