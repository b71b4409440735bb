#!/usr/bin/env python3
"""@net on the host's KVM: all answers are right, and each exit that it asks for (guests/README.md) is counted under its
register and in its phase."""

import math

import device_guests
import machine
from device_guests import FAILED, MARK, by_register, operations

QUESTION, WORK = 0x60, 0x61


class Net(device_guests.Case):
    def virtio(self, options, more=",kick=exit", backend="echo", status=0):
        return self.guest("@net", f"model=virtio {options}", "--net", f"{backend},model=virtio{more}", status=status)

    def e1000(self, options, backend="echo", status=0):
        return self.guest("@net", f"model=e1000 {options}", "--net", f"{backend},model=e1000", status=status)


class VirtioNet(Net):
    NOTIFY = ("virtio-net0", "QueueNotify")

    def test_a_batch_of_frames_is_one_write_of_QueueNotify_and_so_are_32_answers(self):
        for ring in ("split", "packed"):
            for depth, batch in ((1, 1), (8, 3), (128, 128)):
                with self.subTest(ring=ring, depth=depth, batch=batch):
                    report = self.virtio(f"n=300 depth={depth} batch={batch} ring={ring}", f",kick=exit,ring={ring}").report
                    self.expect_phase(report, QUESTION, {self.NOTIFY: 1})
                    self.expect_phase(report, WORK, {self.NOTIFY: math.ceil(300 / batch) + 301 // 32})

    def test_setting_it_up_is_a_known_number_of_accesses_to_each_register(self):
        report = self.virtio("n=1").report
        self.expect_virtio_set_up(report, "virtio-net0", 2, {"mac": 6, "QueueNotify": 1})

    def test_with_an_ioeventfd_the_work_has_no_exit(self):
        self.expect_phase(self.virtio("n=100 depth=8", "").report, WORK, {})

    def test_each_protocol_is_answered_with_all_of_its_data(self):
        for options in ("proto=udp size=1514", "proto=icmp size=777", "proto=arp", "proto=udp wait=irq", "cpl=0"):
            with self.subTest(options=options):
                report = self.virtio(f"n=40 depth=4 {options}").report
                self.assertEqual(operations(report, "virtio-net0")["packets sent"], 41)
                self.assertEqual(operations(report, "virtio-net0")["packets received"], 41)

    def test_frames_that_nobody_answers_can_only_be_sent(self):
        report = self.virtio("op=send n=40 depth=4", backend="sink").report
        self.expect_phase(report, WORK, {self.NOTIFY: 40})
        done = self.virtio("n=1", backend="sink", status=FAILED)
        self.assertEqual(done.out, b"192.0.2.1 does not answer the question for its address (ARP)\r\n")


class E1000(Net):
    SET_UP = ["IMC", "RAL0", "RAH0", "RDBAL", "RDBAH", "RDLEN", "RDH", "RDT", "TDBAL", "TDBAH", "TDLEN", "TDH", "TDT",
              "TIPG", "TCTL", "RCTL"]
    TAIL, RETURN = ("e1000.0", "TDT"), ("e1000.0", "RDT")

    def test_a_batch_of_frames_is_one_write_of_TDT_and_32_answers_are_one_of_RDT(self):
        for depth, batch in ((1, 1), (8, 3), (128, 128)):
            with self.subTest(depth=depth, batch=batch):
                report = self.e1000(f"n=300 depth={depth} batch={batch}").report
                self.expect_phase(report, QUESTION, {self.TAIL: 1})
                self.expect_phase(report, WORK, {self.TAIL: math.ceil(300 / batch), self.RETURN: 301 // 32})

    def test_setting_it_up_is_a_known_number_of_accesses_to_each_register(self):
        counted = by_register(self.e1000("n=1").report)
        configuration = {register: counted.pop(("pci", register)) for register in ("CONFIG_ADDRESS", "CONFIG_DATA")}
        self.assertEqual(configuration["CONFIG_ADDRESS"], configuration["CONFIG_DATA"])
        wanted = {("e1000.0", register): 1 for register in self.SET_UP} | {("e1000.0", "CTRL"): 3, MARK: 1}
        self.assertEqual(counted, wanted)

    def test_each_protocol_is_answered_with_all_of_its_data(self):
        for options in ("proto=udp size=1514", "proto=icmp size=777", "proto=arp", "proto=udp wait=irq", "cpl=0"):
            with self.subTest(options=options):
                self.e1000(f"n=40 depth=4 {options}")

    def test_a_card_that_is_not_there_is_an_error(self):
        self.assertEqual(self.guest("@net", "model=e1000", status=FAILED).out, b"there is no e1000\r\n")
        self.assertEqual(self.guest("@net", "model=virtio", status=FAILED).out, b"there is no virtio-net device\r\n")


if __name__ == "__main__":
    machine.main()
