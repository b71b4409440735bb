#!/usr/bin/env python3
"""@share and @pace on the host's KVM, which load a disk for the experiments: how many requests there are and what each
makes of exits is determined; and a device that holds notifications back makes fewer."""

import collections

import device_guests
from device_guests import FAILED, MARK, by_register

FIRST = 0x70  # phase of the first share or rate


def results(done):
    """{arm: {name: number}} of the lines that guests/lib/result.h defines."""
    found = {}
    for line in done.out.decode().splitlines():
        words = dict(word.split("=", 1) for word in line.split()[1:])
        arm = words.pop("arm")
        found[arm] = {name: int(number) for name, number in words.items()}
    return found


class Load(device_guests.Case):
    def on_disk(self, guest, options, device, status=0):
        self.file("disk.img", bytes(1 << 20))
        return self.guest(guest, options, "--disk", f"{self.path}/disk.img,{device}", status=status)


class Share(Load):
    def test_a_share_of_the_steps_is_requests(self):
        done = self.on_disk("@share", "share=0,30,100 n=20 unit=10", "model=virtio,kick=exit")
        for i, (percent, requests) in enumerate(((0, 0), (30, 6), (100, 20))):
            self.expect_phase(done.report, FIRST + i, {("virtio-blk0", "QueueNotify"): requests})
            result = results(done)[f"share-{percent}"]
            self.assertEqual((result["steps"], result["rounds"]), (20, requests))

    def test_with_an_ioeventfd_no_request_is_an_exit(self):
        done = self.on_disk("@share", "share=100 n=20", "model=virtio")
        self.expect_phase(done.report, FIRST, {})

    def test_a_sector_of_an_ATA_disk_is_a_known_number_of_accesses(self):
        for op, data in (("read", 1), ("write", 256)):
            with self.subTest(op=op):
                report = self.on_disk("@share", f"model=ata share=50 n=20 op={op} unit=10", "model=ata").report
                counted = by_register(report, FIRST)
                self.assertGreaterEqual(counted.pop(("ata0", "alternate status")), 10)
                self.assertEqual(device_guests.transfers(report, FIRST, ("ata0", "data")), 10 * 256)
                self.assertLessEqual(counted.pop(("ata0", "data")), 10 * data)
                wanted = {("ata0", name): 20 for name in ("sector count", "LBA low", "LBA mid", "LBA high")}
                wanted |= {("ata0", name): 10 for name in ("device", "command", "status")}
                self.assertEqual(counted, collections.Counter(wanted) + collections.Counter([MARK]))

    def test_bad_options_are_refused(self):
        for options, said in (
            ("share=0,101", b"out of range: share=0,101"),
            ("share=1,,2", b"not a list of numbers: share=1,,2"),
            ("share=" + ",".join(["1"] * 16), b"too many numbers"),
            ("size=1000", b"size= is no multiple of 512"),
        ):
            with self.subTest(options=options):
                self.assertIn(said, self.on_disk("@share", options, "model=virtio", status=FAILED).out)


class Pace(Load):
    NOTIFY, STATUS, ACKNOWLEDGE = (("virtio-blk0", name) for name in ("QueueNotify", "InterruptStatus", "InterruptACK"))
    REQUESTS = 256
    # The time lets go of what no batch fills: the last ones, and more where a slow host needs longer than the second.
    LET_GO = 8

    def pace(self, more, rates="1000000"):
        """(doorbells, interrupts) of the first rate."""
        options = f"rate={rates} n={self.REQUESTS} event_idx=1 suppress=1"
        done = self.on_disk("@pace", options, f"model=virtio,kick=exit{more}")
        for i, rate in enumerate(rates.split(",")):
            counted = by_register(done.report, FIRST + i)
            interrupts = results(done)[f"rate-{rate}"]["interrupts"]
            wanted = collections.Counter({self.NOTIFY: counted[self.NOTIFY]}) + collections.Counter([MARK])
            wanted += collections.Counter({self.STATUS: interrupts, self.ACKNOWLEDGE: interrupts})
            self.assertEqual(counted, wanted)
        counted = by_register(done.report, FIRST)
        return counted[self.NOTIFY], counted[self.STATUS]

    def test_each_interrupt_is_a_read_and_a_write_at_every_rate(self):
        self.pace("", "100000,1000000")

    def test_the_more_requests_share_an_interrupt_the_fewer_there_are(self):
        for batch in (2, 4, 8, 16):
            with self.subTest(batch=batch):
                _, interrupts = self.pace(f",batch={batch},timeout=1s,hold=interrupt")
                self.assertLessEqual(interrupts, self.REQUESTS // batch + self.LET_GO)
                self.assertGreater(interrupts, 0)

    def test_the_more_requests_share_a_doorbell_the_fewer_there_are(self):
        for batch in (2, 4, 8, 16):
            with self.subTest(batch=batch):
                doorbells, _ = self.pace(f",batch={batch},timeout=1s,hold=doorbell")
                self.assertLessEqual(doorbells, self.REQUESTS // batch + self.LET_GO)
                self.assertGreater(doorbells, 0)

    def test_what_is_held_for_no_time_is_let_go(self):
        for hold in ("doorbell", "interrupt", "both"):
            with self.subTest(hold=hold):
                self.pace(f",batch=256,timeout=0us,hold={hold}")

    def test_it_needs_a_virtio_disk(self):
        self.assertIn(b"there is no virtio-blk device", self.on_disk("@pace", "", "model=ata", status=FAILED).out)


class Print(Load):
    def test_the_figures_of_disk_and_net_are_printed_for_programs_too(self):
        done = self.on_disk("@disk", "n=10 op=write print=result", "model=virtio")
        rounds = {arm: result["rounds"] for arm, result in results(done).items()}
        self.assertEqual(rounds, {"write": 10, "flush": 1, "read": 0})
        done = self.guest("@net", "n=10 print=result", "--net", "echo,model=virtio")
        self.assertEqual({arm: result["rounds"] for arm, result in results(done).items()}, {"echo": 10})


if __name__ == "__main__":
    device_guests.machine.main()
