#!/usr/bin/env python3
"""@disk on the host's KVM: the data are right, and each exit that it asks for (guests/README.md) is counted under its
register and in its phase."""

import math

import device_guests
import machine
from device_guests import FAILED, MARK, ROW, WRONG_DATA, by_register, operations, transfers

WRITE, FLUSH, READ, COMPARE, RESULT = 0x51, 0x52, 0x53, 0x54, 0x5F


class Disk(device_guests.Case):
    def image(self, mebibytes=1):
        return self.file("disk.img", bytes(mebibytes << 20))

    def virtio(self, options, more="", status=0, guest="@disk"):
        return self.guest(guest, f"model=virtio {options}", "--disk", f"{self.path}/disk.img,model=virtio{more}",
                          status=status)

    def ata(self, options, more="", status=0):
        return self.guest("@disk", f"model=ata {options}", "--disk", f"{self.path}/disk.img,model=ata{more}",
                          status=status)


class VirtioDisk(Disk):
    NOTIFY = ("virtio-blk0", "QueueNotify")

    def test_with_kick_exit_every_batch_of_requests_is_one_write_of_QueueNotify(self):
        for ring in ("split", "packed"):
            for more in ("", " indirect=1", " event_idx=1"):
                for depth, batch in ((1, 1), (8, 1), (8, 3), (32, 32)):
                    options = f"n=50 depth={depth} batch={batch} ring={ring}{more}"
                    with self.subTest(options=options):
                        self.image()
                        report = self.virtio(options, f",kick=exit,ring={ring}").report
                        notified = math.ceil(50 / batch)
                        self.expect_phase(report, WRITE, {self.NOTIFY: notified})
                        self.expect_phase(report, FLUSH, {self.NOTIFY: 1})
                        self.expect_phase(report, READ, {self.NOTIFY: notified})
                        self.expect_phase(report, COMPARE, {})

    def test_with_an_ioeventfd_the_work_has_no_exit(self):
        self.image()
        report = self.virtio("n=50 depth=8").report
        for mark in (WRITE, FLUSH, READ):
            self.expect_phase(report, mark, {})

    def test_setting_it_up_is_a_known_number_of_accesses_to_each_register(self):
        self.image()
        report = self.virtio("n=1", ",kick=exit").report
        self.expect_virtio_set_up(report, "virtio-blk0", 1, {"capacity": 2})

    def test_it_looks_first_where_the_command_line_says(self):
        nowhere, slot = "4K@0xdf000000:5", "4K@0xd0000000:7"
        self.image()
        for told in ([slot], [nowhere, slot], [nowhere]):
            with self.subTest(told=told):
                options = " ".join(f"virtio_mmio.device={place}" for place in told)
                report = self.virtio(f"n=5 wait=irq {options}", ",kick=exit").report
                looked = machine.counts(machine.keys_of(report)).get(machine.MMIO_READ, 0)
                self.assertEqual(looked, told.count(nowhere))
                self.assertEqual(by_register(report)["virtio-blk0", "MagicValue"], 1)

    def test_the_result_is_four_lines(self):
        self.image()
        done = self.virtio("n=5")
        self.assertEqual(len(done.out), 4 * ROW)
        self.assertEqual(by_register(done.report, RESULT)["uart0", "THR"], 4 * ROW)

    def test_what_is_written_is_in_the_file_and_another_run_reads_it(self):
        path = self.image()
        options = "n=100 size=512 depth=4 access=random seed=7"
        self.virtio(f"{options} op=write")
        sectors = path.read_bytes()
        written = sum(any(sectors[at : at + 512]) for at in range(0, len(sectors), 512))
        self.assertEqual(written, 100)
        self.virtio(f"{options} op=read")

    def test_blocks_that_are_written_again_have_what_came_last(self):
        self.image()
        self.virtio("n=100 size=1024 sectors=32 depth=8 batch=2")
        self.virtio("n=100 size=1024 sectors=32 access=random")

    def test_a_byte_that_differs_is_an_error_that_names_the_sector(self):
        path = self.image()
        self.virtio("n=10 op=write")
        with open(path, "r+b") as image:
            image.seek(5 * 512 + 300)
            byte = image.read(1)
            image.seek(5 * 512 + 300)
            image.write(bytes([byte[0] ^ 1]))
        done = self.virtio("n=10 op=read", status=WRONG_DATA)
        self.assertRegex(done.out, rb"\Asector 5 differs at byte 296: 0x[0-9a-f]+ instead of 0x[0-9a-f]+\r\n\Z")

    def test_a_read_only_disk_is_read_and_not_written(self):
        self.image()
        self.virtio("n=10 op=write")
        self.virtio("n=10 op=read", ",readonly")
        done = self.virtio("n=10", ",readonly", status=FAILED)
        self.assertEqual(done.out, b"the disk is read-only: op=read reads what is on it\r\n")

    def test_each_way_of_waiting_and_each_ring_of_privilege_does_the_same(self):
        for options in ("wait=irq", "wait=irq event_idx=1 suppress=1", "cpl=0", "suppress=1 indirect=1 event_idx=1"):
            for ring in ("split", "packed"):
                with self.subTest(options=options, ring=ring):
                    self.image()
                    self.virtio(f"n=30 depth=4 batch=2 ring={ring} {options}", f",ring={ring}")

    def test_the_disk_has_counted_the_requests(self):
        self.image()
        report = self.virtio("n=20 depth=4").report
        self.assertEqual(operations(report, "virtio-blk0")["requests"], 41)


class AtaDisk(Disk):
    DATA, STATUS, ALTERNATE = ("ata0", "data"), ("ata0", "status"), ("ata0", "alternate status")

    def command(self, requests):
        """Of LBA48 commands: each address register twice."""
        twice = ["sector count", "LBA low", "LBA mid", "LBA high"]
        once = ["device", "command"]
        return {("ata0", name): 2 * requests for name in twice} | {("ata0", name): requests for name in once}

    def expect_work(self, report, mark, requests, blocks, size, alternate_least):
        counted = by_register(report, mark)
        self.assertEqual(transfers(report, mark, self.DATA), requests * size // 2)
        del counted[self.DATA]
        self.assertGreaterEqual(counted.pop(self.ALTERNATE, 0), alternate_least)
        wanted = self.command(requests) | {self.STATUS: requests * blocks, MARK: 1}
        self.assertEqual(counted, wanted)

    def test_a_request_is_ten_register_writes_and_a_status_read_for_each_sector(self):
        for wait in ("poll", "irq"):
            with self.subTest(wait=wait):
                self.image()
                report = self.ata(f"n=3 size=2048 wait={wait}").report
                polled = wait == "poll"
                self.expect_work(report, WRITE, 3, 4, 2048, 3 + 12 * polled)
                self.expect_work(report, READ, 3, 4, 2048, 12 * polled)

    def test_with_blocks_of_several_sectors_there_is_a_status_read_for_each_block(self):
        self.image()
        report = self.ata("n=2 size=4096 multiple=4 wait=irq").report
        self.expect_work(report, WRITE, 2, 2, 4096, 2)
        self.expect_work(report, READ, 2, 2, 4096, 0)

    def test_a_flush_is_a_command_and_a_status_read(self):
        self.image()
        counted = by_register(self.ata("n=1 wait=irq").report, FLUSH)
        self.assertEqual(counted, {("ata0", "command"): 1, self.STATUS: 1, MARK: 1})

    def test_with_coalesced_writes_only_commands_and_what_a_full_ring_sends_are_exits(self):
        for wait in ("poll", "irq"):  # with irq nothing but time delivers the end of a sector
            with self.subTest(wait=wait):
                self.image()
                report = self.ata(f"n=20 size=1024 wait={wait}", ",pio=coalesced").report
                counted = by_register(report, WRITE)
                # A sector is 256 words, of which the ring takes 169: one is an exit, unless time has emptied the ring.
                self.assertLessEqual(counted.pop(self.DATA, 0), 20 * 2)
                counted.pop(self.ALTERNATE)
                self.assertEqual(counted, {("ata0", "command"): 20, self.STATUS: 20 * 2, MARK: 1})
                self.assertEqual(transfers(report, READ, self.DATA), 20 * 1024 // 2)
                self.virtio("n=20 size=1024 op=read")

    def test_two_disks_of_a_channel_have_its_ports_in_one_way(self):
        self.image()
        other = self.file("other.img", bytes(1 << 20))
        disks = ("--disk", f"{self.path}/disk.img,model=ata,pio=coalesced", "--disk", f"{other},model=ata")
        self.expect_refusal(self.run_program("run", "@disk", *disks), 2, "disks 0 and 1", "pio=coalesced to both")
        self.guest("@disk", "model=ata n=4", *disks[:3], f"{other},model=ata,pio=coalesced")

    def test_both_models_find_what_the_other_has_written(self):
        self.image()
        self.ata("n=8 op=write seed=3")
        self.virtio("n=8 op=read seed=3")
        self.virtio("n=8 op=write seed=4 access=random")
        self.ata("n=8 op=read seed=4 access=random")


class NoDisk(Disk):
    def test_a_disk_that_is_not_there_is_an_error(self):
        for model, said in (("virtio", b"there is no virtio-blk device\r\n"), ("ata", b"there is no ATA disk\r\n")):
            with self.subTest(model=model):
                self.assertEqual(self.guest("@disk", f"model={model}", status=FAILED).out, said)

    def test_bad_options_are_refused(self):
        self.image()
        for options, said in (
            ("size=1000", b"size= is no multiple of 512"),
            ("depth=2 batch=3", b"batch= is more than depth="),
            ("depth=128", b"depth= is more than the disk's queue takes"),
            ("sectors=8 depth=2", b"has less than depth= requests"),
            ("n=0", b"out of range: n=0"),
            ("n=many", b"not a number: n=many"),
            ("access=there", b"not one of sequential random: access=there"),
            ("frobs=1", b"no such option: frobs=1"),
        ):
            with self.subTest(options=options):
                self.assertIn(said, self.virtio(options, status=FAILED).out)


if __name__ == "__main__":
    machine.main()
