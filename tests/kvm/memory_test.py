#!/usr/bin/env python3
"""--protect and --watch: each access of the memory comes out, with what it was, and has the effect that is said of it."""

import re
import struct

import machine
from machine import KVM_EXIT_MMIO

AT = 0x1000000
RANGE = "0x1000000-0x1001fff"
ONES = (1 << 64) - 1
VALUE = 0x1122334455667788
FIRST_MARK = 0x70
INTERNAL_ERROR, SHUTDOWN, PROTECTED = 4, 5, 7  # exit statuses

# @touch's kinds, in its order: its accesses as (direction, offset, width, value).
READS = [("read", offset, width, None) for offset, width in ((0, 1), (2, 2), (4, 4), (8, 8))]
KINDS = {
    "read1": READS[:1],
    "read2": READS[1:2],
    "read4": READS[2:3],
    "read8": READS[3:],
    "write1": [("write", 16, 1, VALUE & 0xFF)],
    "write2": [("write", 18, 2, VALUE & 0xFFFF)],
    "write4": [("write", 20, 4, VALUE & 0xFFFFFFFF)],
    "write8": [("write", 24, 8, VALUE)],
    # ADD of 5 to all ones.
    "add": [("read", 32, 4, None), ("write", 32, 4, 4)],
    "xchg": [("read", 36, 4, None), ("write", 36, 4, VALUE & 0xFFFFFFFF)],
    "string": [("write", 4092 + i, 1, 0x5A) for i in range(8)],
    "push": [("write", 56, 8, VALUE)],
    "alias": [("write", 80, 4, VALUE & 0xFFFFFFFF), ("read", 80, 4, None)],
    "moved": [("write", 84, 4, VALUE & 0xFFFFFFFF), ("read", 84, 4, None)],
    "user": [("write", 88, 4, VALUE & 0xFFFFFFFF), ("read", 88, 4, None)],
}
ALL = ",".join(KINDS)
LINE = re.compile(r"result arm=(\w+) (?:value|cycles)=(\d+) checks=(\d+) checked=(\d+)")


class Memory(machine.Case):
    def touch(self, kinds, *arguments, status=0):
        done = self.account("@touch", "--timeout", "60s", "--cmdline", f"kinds={kinds}", *arguments)
        self.expect(done, status)
        lines = done.out.decode().splitlines()
        done.kinds = {match[1]: tuple(map(int, match.groups()[1:])) for match in map(LINE.fullmatch, lines)}
        done.guarded = done.report["guarded_memory"]
        return done

    def expect_range(self, done, rule, reads, writes, told=0):
        wanted = {"first": AT, "last": AT + 0x1FFF, "rule": rule, "reads": reads, "writes": writes, "told": told}
        self.assertEqual(done.guarded["ranges"], [wanted])

    def listed(self, done):
        return [
            (access["direction"], access["address"] - AT, access["width"], access["value"])
            for access in done.guarded["accesses"]
        ]

    def mmio(self, done, mark):
        keys = machine.keys_of(done.report, machine.phase_of(done.report, mark))
        return sum(key["count"] for key in keys if key["reason"] == KVM_EXIT_MMIO)

    def test_every_access_of_what_is_off_limits_is_caught_with_address_width_and_value(self):
        done = self.touch(ALL, "--protect", f"{RANGE}:none")
        wanted = [access for kind in KINDS.values() for access in kind]
        self.assertEqual(self.listed(done), wanted)
        self.expect_range(done, "none,action=report", 9, 18)
        self.assertEqual(done.guarded["further"], 0)
        for number, accesses in enumerate(KINDS.values()):
            self.assertEqual(self.mmio(done, FIRST_MARK + number), len(accesses))
        # and gives nothing away
        values = [done.kinds[kind][0] for kind in ("read1", "read2", "read4", "read8", "alias", "moved", "user")]
        self.assertEqual(values, [0xFF, 0xFFFF, 0xFFFFFFFF, ONES, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF])

    def test_of_what_is_read_only_writes_are_caught_and_dropped_and_reads_are_free(self):
        done = self.touch(ALL, "--protect", f"{RANGE}:ro")
        wanted = [access for kind in KINDS.values() for access in kind if access[0] == "write"]
        # ADD of 5 to nothing
        wanted[wanted.index(("write", 32, 4, 4))] = ("write", 32, 4, 5)
        self.assertEqual(self.listed(done), wanted)
        self.expect_range(done, "ro,action=report", 0, 18)
        self.assertEqual({value for value, _, _ in done.kinds.values()}, {0})

    def test_a_read_has_the_instructions_own_rip_and_a_write_the_next_ones(self):
        # mov rax, 0x1000000; mov ecx, [rax]; mov [rax], ecx; then the end
        code = bytes.fromhex("48b8 0000000100000000 8b08 8908") + machine.EXIT_0
        done = self.raw(code, "--protect", f"{RANGE}:none")
        self.expect(done, 0)
        accesses = done.report["guarded_memory"]["accesses"]
        self.assertEqual([access["rip"] for access in accesses], [0x10000A, 0x10000E])
        self.assertEqual([access["vcpu"] for access in accesses], [0, 0])

    def test_the_first_access_ends_the_run_where_that_is_asked_for(self):
        done = self.touch("read8,write4,write8", "--protect", f"{RANGE}:ro,action=stop", status=PROTECTED)
        self.assertEqual(self.listed(done), KINDS["write4"])
        self.assertRegex(done.err, r"vCPU 0 wrote 4 bytes \(0x55667788\) at 0x1000014, rip 0x1[0-9a-f]{5}\n")
        self.assertIn("guest reached for protected memory", done.err)
        self.assertEqual(done.report["exit_status"], PROTECTED)

    def test_a_machine_check_names_the_address(self):
        kinds = [kind for kind in KINDS if kind not in ("push", "add", "xchg")]
        done = self.touch(",".join(kinds), "--protect", f"{RANGE}:none,action=inject")
        for kind in kinds:
            with self.subTest(kind=kind):
                accesses = KINDS[kind]
                _, checks, checked = done.kinds[kind]
                self.assertEqual((checks, checked), (len(accesses), AT + accesses[-1][1]))
        self.expect_range(done, "none,action=inject", 7, 15, told=22)

    def test_a_second_access_of_one_instruction_is_listed_but_not_told(self):
        done = self.touch("add,xchg", "--protect", f"{RANGE}:none,action=inject")
        self.assertEqual([done.kinds[kind][1] for kind in ("add", "xchg")], [1, 1])
        self.expect_range(done, "none,action=inject", 2, 2, told=2)

    def test_without_a_stack_for_a_machine_check_the_guest_shuts_down(self):
        self.touch("push", "--protect", f"{RANGE}:none,action=inject", status=SHUTDOWN)

    def test_an_instruction_fetched_from_what_is_off_limits_ends_the_run_and_is_named(self):
        done = self.touch("fetch", "--protect", f"{RANGE}:none", status=INTERNAL_ERROR)
        self.assertIn("rip 0000000001000080", done.err)
        self.assertEqual(done.kinds, {})

    def test_a_guest_runs_on_code_that_it_cannot_write(self):
        done = self.account("@hello", "--protect", "0x100000-0x100fff:ro,action=stop")
        self.expect(done, 0)
        self.assertEqual(done.report["guarded_memory"]["ranges"][0]["writes"], 0)

    def test_page_tables_that_are_off_limits_are_none(self):
        # mov rax, cr3; mov cr3, rax, where the boot protocol's tables lie
        done = self.raw(bytes.fromhex("0f20d8 0f22d8") + machine.EXIT_0, "--protect", "0x9000-0xefff:none")
        self.expect(done, SHUTDOWN)

    def test_other_memory_costs_no_exit(self):
        beside = "0x2000000-0x2001fff"
        done = self.touch(ALL + ",loop", "--protect", f"{beside}:none", "--watch", "0x3000000-0x3000fff")
        for number in range(len(KINDS) + 1):
            self.assertEqual(self.mmio(done, FIRST_MARK + number), 0)
        self.assertEqual(done.guarded["accesses"], [])

    def test_the_list_is_bounded_and_the_counts_are_not(self):
        writes = 5000
        done = self.account(
            "@touch", "--cmdline", f"kinds=loop n={writes}", "--protect", f"{RANGE}:ro", "--timeout", "60s"
        )
        self.expect(done, 0)
        guarded = done.report["guarded_memory"]
        self.assertEqual((len(guarded["accesses"]), guarded["further"]), (4096, writes - 4096))
        self.assertEqual(guarded["ranges"][0]["writes"], writes)

    def test_a_device_does_not_reach_protected_memory(self):
        # A request block of the exit-count interface there: "not RAM" is status 0xfffffffd or what its header says.
        code = b"\xba" + struct.pack("<I", 0xE0C) + b"\xb8" + struct.pack("<I", AT) + b"\xef\xed"
        code += b"\x25\xff\x00\x00\x00\xba\xf4\x00\x00\x00\xef\xf4"  # and eax, 255; mov edx, 0xf4; out; hlt
        free = self.raw(code)
        kept = self.raw(code, "--protect", f"{RANGE}:none")
        self.assertNotEqual(free.status, kept.status)
        self.assertEqual(kept.report["guarded_memory"]["accesses"], [])

    def test_watching_by_exits_lists_each_write_and_does_it(self):
        done = self.touch(ALL, "--watch", RANGE)
        writes = [list(access) for kind in KINDS.values() for access in kind if access[0] == "write"]
        writes[4][3] = 5  # ADD of 5 to nothing
        self.assertEqual([list(access) for access in self.listed(done)], writes)
        self.expect_range(done, "watch,by=exit", 0, 18)
        self.assertEqual(done.kinds["alias"][0], VALUE & 0xFFFFFFFF)
        self.assertEqual(done.kinds["user"][0], VALUE & 0xFFFFFFFF)

    def test_the_bitmap_and_the_ring_name_pages_without_an_exit(self):
        for way in ("bitmap", "ring"):
            with self.subTest(way=way):
                done = self.touch("write8,string", "--watch", f"{RANGE},by={way}")
                self.assertEqual(self.mmio(done, FIRST_MARK + 7), 0)
                accesses = done.guarded["accesses"]
                self.assertEqual({access["address"] for access in accesses}, {AT, AT + 0x1000})
                self.assertEqual({(access["width"], access["value"], access["rip"]) for access in accesses}, {(0, None, None)})
                self.assertEqual({access["vcpu"] for access in accesses}, {0 if way == "ring" else None})
                self.assertEqual(done.kinds["write8"][0], 0)

    def test_pages_that_are_only_read_are_not_modified(self):
        for way in ("exit", "bitmap", "ring"):
            with self.subTest(way=way):
                done = self.touch("read1,read2,read4,read8", "--watch", f"{RANGE},by={way}")
                self.assertEqual(done.guarded["accesses"], [])

    def test_the_keys_name_what_was_reached_for(self):
        done = self.touch("read4", "--protect", f"{RANGE}:none")
        (key,) = [key for key in machine.keys_of(done.report) if key["reason"] == KVM_EXIT_MMIO]
        self.assertEqual((key["device"], key["register"], key["address"]), ("protected", "none", AT + 4))

    def test_ranges_that_cannot_be_are_refused(self):
        for arguments, said in (
            (("--protect", "0x1000-0x2000:ro"), "whole pages"),
            (("--protect", RANGE), "colon"),
            (("--protect", "0xf0000000-0xf0000fff:ro"), "no memory there"),
            (("--watch", RANGE, "--protect", f"{RANGE}:ro"), "another range"),
            (("--watch", f"{RANGE},by=ring", "--watch", "0x2000000-0x2000fff,by=bitmap"), "not both"),
            (("--watch", f"{RANGE},every=1ms"), "by=bitmap"),
        ):
            with self.subTest(arguments=arguments):
                self.expect_refusal(self.run_program("run", "@hello", "--report", "none", *arguments), 2, said)


if __name__ == "__main__":
    machine.main()
