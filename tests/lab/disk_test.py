#!/usr/bin/env python3
"""A stock Debian guest's disks in the lab: what is written is read back, a file system stays whole, the driver can be
taken away and given back, a read-only disk stays as it is; and what was made durable outlives a kvmbench that is killed.

disk_test.py Virtio | Ata | AtaCoalesced
"""

import hashlib
import re
import shutil
import unittest

import lab
import linux_test

KIB, MIB = 1 << 10, 1 << 20
BLOCK = 4096
LOCKED = bytes(range(256)) * 4096
# noxsave and nohz=off because of the lab's emulation (scripts/lab, "gaps").
PARAMETERS = "console=ttyS0 quiet noxsave nohz=off panic=-1"


class Disks(lab.GuestRuns):
    """The tests of each model; a subclass says which."""

    MODEL = DISK = LOCKED_DISK = DEVICE = DRIVER = ""
    MODULES = ()
    # What is on the disk and the guest reads, in what file system it copies what, and how many records are durable before
    # the kill.
    WHOLE_MIB = 8
    TINY = "no"
    TREES = ("modules", "bin")
    TOLD = 20
    # What else is behind --disk, a run of a guest each, and how many KiB it writes.
    OPTIONS = {}
    COMMON = ""  # behind each --disk

    @classmethod
    def run_guest(cls, name, work, options="", written=0):
        return (
            f"bench {name} image --initrd initrd --mem 288M --serial stdio --timeout 700s"
            f" --disk disk,model={cls.MODEL}{cls.COMMON}{options}"
            f" --disk locked,model={cls.MODEL},readonly{cls.COMMON}"
            f" --cmdline '{PARAMETERS} work={work} disk={cls.DISK} locked={cls.LOCKED_DISK} device={cls.DEVICE}"
            f" driver=/sys/bus/{cls.DRIVER} whole={cls.WHOLE_MIB} written={written} tiny={cls.TINY}"
            f" trees={':'.join(cls.TREES)}'"
        )

    @classmethod
    def script(cls):
        lines = []
        for number, (options, written) in enumerate(cls.OPTIONS.items()):
            lines += [
                f"dd if=/dev/urandom of=disk bs=1M count={cls.WHOLE_MIB} 2>/dev/null",
                f"sha256sum <disk >results/{number}.given",
                "truncate -s 96M disk",
                cls.run_guest(number, "data", options, written),
                f"sha256sum <locked >results/{number}.locked",
            ]
        lines += [
            "rm -f disk && truncate -s 96M disk",
            cls.run_guest("killed", "records") + " &",
            f"until grep -q 'durable: {cls.TOLD}' results/killed.out 2>/dev/null || [ -e results/killed.status ]; do",
            "  sleep 0.2",
            "done",
            'kill -9 "$(cat results/killed.pid)"',
            "wait",
            f"head -c {200 * BLOCK} disk >results/killed.disk",
        ]
        return "\n".join(lines)

    @classmethod
    def setUpClass(cls):
        with lab.directory() as directory:
            shutil.copy(lab.kernel(), directory / "image")
            linux_test.write_initramfs(
                directory,
                directory / "initrd",
                init="disk_init",
                programs=[shutil.which(program, path="/usr/sbin:/sbin") for program in ("mke2fs", "e2fsck")],
                modules=lab.modules(*cls.MODULES, flavour="cloud"),
            )
            (directory / "locked").write_bytes(LOCKED)
            cls.results = lab.run(directory, cls.script(), "--mem", "1300", "--timeout", "1000")

    def test_the_guest_ends_by_itself(self):
        self.subtests(lambda _, run: self.assertEqual(self.results.status(run), linux_test.GUEST_POWERED_OFF))

    def test_what_the_host_has_on_the_disk_is_read(self):
        def check(output, run):
            given = self.results.text(f"{run}.given").split()[0]
            self.assertIn(f"\nwhole: {given}\n", output)

        self.subtests(check)

    def test_what_is_written_is_read_back_also_by_a_driver_that_is_given_back(self):
        def check(output, _):
            written = re.search(r"\ndata: (\w{64})\n", output)
            self.assertTrue(written)
            self.assertIn("\nunbound: yes\n", output)
            for turn in ("first", "second"):
                self.assertIn(f"\n{turn}: {written[1]}\n", output)

        self.subtests(check)

    def test_a_file_system_is_whole_and_has_what_was_copied(self):
        def check(output, _):
            self.assertIn("\ncheck: 0\n", output)
            for tree in self.TREES:
                self.assertIn(f"\nsame: {tree}\n", output)

        self.subtests(check)

    def test_a_read_only_disk_refuses_writes(self):
        def check(output, run):
            digest = hashlib.sha256(LOCKED).hexdigest()
            self.assertIn("\nrefused: yes\n", output)
            self.assertIn(f"\nlocked before: {digest}\n", output)
            self.assertIn(f"\nlocked after: {digest}\n", output)
            self.assertIn(digest, self.results.text(f"{run}.locked"))

        self.subtests(check)

    def test_neither_driver_nor_kernel_complains(self):
        self.subtests(lambda output, _: self.assertIn("\ncomplaints: 0\n", output))

    def test_the_report_counts_what_was_moved(self):
        def check(_, run):
            devices = self.results.report(run)["operations"]
            done = [{count["name"]: count["count"] for count in device["counts"]} for device in devices]
            done = [counts for counts in done if "flushes" in counts]
            read, written = (sum(counts[f"bytes {way}"] for counts in done) for way in ("read", "written"))
            wanted = list(self.OPTIONS.values())[run] * KIB
            self.assertGreater(read, self.WHOLE_MIB * MIB + 2 * wanted)
            self.assertGreater(written, wanted)
            self.assertGreater(sum(counts["flushes"] for counts in done), 1)

        self.subtests(check)

    def test_what_was_durable_outlives_the_process(self):
        told = [int(number) for number in re.findall(r"durable: (\d+)\n", self.results.text("killed.out"))]
        self.assertGreaterEqual(max(told, default=0), self.TOLD, self.results.everything("killed"))
        self.assertEqual(self.results.status("killed"), 128 + 9)
        disk = self.results.bytes("killed.disk")
        for number in told:
            self.assertEqual(disk[number * BLOCK : (number + 1) * BLOCK].decode().strip(), str(number))


class Virtio(Disks, unittest.TestCase):
    MODEL, DISK, LOCKED_DISK, DEVICE, DRIVER = "virtio", "vda", "vdb", "virtio0", "virtio/drivers/virtio_blk"
    MODULES = ("virtio_mmio", "virtio_blk")
    OPTIONS = {"": 64 << 10, ",ring=packed,kick=exit,queues=2": 8 << 10}


class AtaDisks(Disks):
    MODEL, DISK, LOCKED_DISK, DEVICE, DRIVER = "ata", "sda", "sdb", "0000:00:01.1", "pci/drivers/ata_piix"
    MODULES = ("ata_piix", "sd_mod")


class AtaCoalesced(AtaDisks, unittest.TestCase):
    COMMON = ",pio=coalesced"
    OPTIONS = {"": 64 << 10}


class Ata(AtaDisks, unittest.TestCase):
    # A sector that is written is 128 exits, as KVM takes REP OUTS apart, and one that is read is one.
    OPTIONS = {"": 128}
    WHOLE_MIB = 4
    TINY = "yes"
    TREES = ("tree",)
    TOLD = 3


if __name__ == "__main__":
    lab.main()
