#!/usr/bin/env python3
"""Images that cannot be booted: one line that says why, status 2, no guest is run and nothing is written over."""

import gzip
import os
import pathlib
import struct

import machine
import program

ELF_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
EM_X86_64, EM_AARCH64 = 62, 183
ET_REL, ET_EXEC, ET_DYN, ET_CORE = 1, 2, 3, 4
PT_LOAD, PT_INTERP = 1, 3
LOAD_ADDRESS = 0x100000
MIB = 1 << 20


def elf(
    code=machine.EXIT_0, kind=ET_EXEC, isa=EM_X86_64, entry=LOAD_ADDRESS, phnum=None, phoff=64, phentsize=56, segments=None
):
    """A static ELF64; segments are (type, offset in the code, address, bytes in the file, bytes in memory)."""
    segments = segments if segments is not None else [(PT_LOAD, 0, LOAD_ADDRESS, len(code), len(code))]
    begin = ELF_HEADER.size + PROGRAM_HEADER.size * len(segments)
    phnum = len(segments) if phnum is None else phnum
    magic = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = ELF_HEADER.pack(magic, kind, isa, 1, entry, phoff, 0, 0, 64, phentsize, phnum, 0, 0, 0)
    table = b"".join(
        PROGRAM_HEADER.pack(kind, 7, begin + offset, address, address, size, room, 4096)
        for kind, offset, address, size, room in segments
    )
    return header + table + code


# Documentation/arch/x86/boot.rst: offset and format of each field that is used here.
BZIMAGE_FIELDS = {
    "setup_sects": (0x1F1, "B"),
    "syssize": (0x1F4, "<I"),
    "boot_flag": (0x1FE, "<H"),
    "jump": (0x200, "<H"),
    "magic": (0x202, "4s"),
    "version": (0x206, "<H"),
    "loadflags": (0x211, "B"),
    "initrd_addr_max": (0x22C, "<I"),
    "kernel_alignment": (0x230, "<I"),
    "relocatable_kernel": (0x234, "B"),
    "xloadflags": (0x236, "<H"),
    "cmdline_size": (0x238, "<I"),
    "payload_offset": (0x248, "<I"),
    "payload_length": (0x24C, "<I"),
    "pref_address": (0x258, "<Q"),
    "init_size": (0x260, "<I"),
}
ENTRY_64 = 0x200  # of the code


def bzimage(code=machine.EXIT_0, **changes):
    """A bzImage whose 64-bit entry point holds the code."""
    body = bytes(ENTRY_64) + code
    body += bytes(-len(body) % 16)
    fields = {
        "setup_sects": 3,
        "syssize": len(body) // 16,
        "boot_flag": 0xAA55,
        "jump": 0x6AEB,  # jmp 0x26c: where the header ends
        "magic": b"HdrS",
        "version": 0x020F,
        "loadflags": 1,  # LOADED_HIGH
        "initrd_addr_max": 0x7FFFFFFF,
        "kernel_alignment": 0x200000,
        "relocatable_kernel": 1,
        "xloadflags": 3,  # XLF_KERNEL_64 | XLF_CAN_BE_LOADED_ABOVE_4G
        "cmdline_size": 2047,
        "payload_offset": 0,
        "payload_length": 0,
        "pref_address": 0x1000000,
        "init_size": 0x10000,
        **changes,
    }
    image = bytearray(4 * 512)
    for name, value in fields.items():
        offset, layout = BZIMAGE_FIELDS[name]
        struct.pack_into(layout, image, offset, value)
    return bytes(image) + body


class Case(machine.Case):
    def expect_image_refused(self, content, *parts, options=(), name="image"):
        """The image, as bytes or as a path, is refused, and an old report stays as it was."""
        path = self.file(name, content) if isinstance(content, bytes) else content
        old = self.file("report", b"old")
        done = self.run_program("run", path, *options, "--report-file", old)
        self.expect_refusal(done, 2, os.fspath(path), *parts)
        self.assertEqual(old.read_bytes(), b"old")


class Files(Case):
    def test_what_is_no_file_that_can_be_read_is_refused(self):
        fifo = self.path / "fifo"
        os.mkfifo(fifo)
        for path, why in (
            (self.path / "missing", "No such file"),
            (self.path, "directory"),
            (fifo, "not a regular file"),
            (pathlib.Path("/dev/zero"), "not a regular file"),
            (self.file("empty"), "empty"),
        ):
            with self.subTest(path=path.name):
                self.expect_image_refused(path, why)

    def test_a_file_that_may_not_be_read_is_refused(self):
        image = self.file("image", elf())
        image.chmod(0)
        # Root without the right to read everything still owns /dev/kvm.
        bounded = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
        done = self.shell('exec "$0" run "$1"', image, within=bounded)
        if "setpriv" in done.err:
            self.skipTest(done.err.strip())
        self.expect_refusal(done, 2, str(image), "Permission denied")

    def test_a_file_that_is_no_image_is_described(self):
        boot_sector = bytes(510) + b"\x55\xaa"
        for content, what in (
            (b"just some text, which is no image\n", "6a 75 73 74"),
            (b"\0" * 5000, "00 00"),
            (b"x", "1 bytes"),
            (boot_sector, "--mode 16"),
            (b"070701" + b"0" * 104, "cpio"),
            (b"\xfd7zXZ\0" + bytes(50), "xz"),
            (b"QFI\xfb" + bytes(100), "qcow2"),
        ):
            with self.subTest(what=what):
                self.expect_image_refused(content, what, "bzImage", "--mode")

    def test_a_damaged_gzip_file_is_refused(self):
        packed = gzip.compress(elf(machine.EXIT_0 * 5000))
        for name, content in (
            ("cut off", packed[:-20]),
            ("header only", packed[:10]),
            ("damaged", packed[:40] + b"\xff\xff\xff" + packed[43:]),
            ("wrong checksum", packed[:-8] + bytes(4) + packed[-4:]),
        ):
            with self.subTest(name=name):
                self.expect_image_refused(content)

    def test_a_gzip_file_that_unpacks_to_more_than_memory_is_refused(self):
        self.expect_image_refused(gzip.compress(bytes(8 * MIB)), options=["--mem", "4M"])


class Elf(Case):
    def test_a_sound_one_runs(self):
        for content in (elf(), gzip.compress(elf())):
            self.expect(self.account(self.file("image", content)), 0)

    def test_one_that_is_cut_off_anywhere_is_refused(self):
        whole = elf()
        for length in (4, 5, 16, 17, 52, 63, 64, 65, 119, 120, 121, len(whole) - 1):
            with self.subTest(length=length):
                self.expect_image_refused(whole[:length])

    def test_damaged_headers_are_refused(self):
        code = machine.EXIT_0
        one = (PT_LOAD, 0, LOAD_ADDRESS, len(code), len(code))
        for name, content in {
            "the program headers past the end": elf(phoff=1 << 20),
            "the program headers' offset wraps around": elf(phoff=(1 << 64) - 8),
            "more program headers than there are bytes": elf(phnum=0xFFFE),
            "no program header": elf(phnum=0),
            "entries of another size": elf(phentsize=8),
            "nothing to load": elf(segments=[]),
            "another machine": elf(isa=EM_AARCH64),
            "a relocatable object": elf(kind=ET_REL),
            "a core file": elf(kind=ET_CORE),
            "the entry outside": elf(entry=LOAD_ADDRESS + 0x1000),
            "the entry past memory": elf(entry=0x8000_0000),
            "the entry at the end of the address space": elf(entry=(1 << 64) - 1),
            "a segment's bytes past the end": elf(segments=[(PT_LOAD, 0, LOAD_ADDRESS, 1000, 1000)]),
            "a segment's offset wraps around": elf(segments=[(PT_LOAD, -200 % (1 << 64), LOAD_ADDRESS, 100, 100)]),
            "more bytes in the file than in memory": elf(segments=[(PT_LOAD, 0, LOAD_ADDRESS, 4, 2)]),
            "overlapping segments": elf(segments=[one, (PT_LOAD, 0, LOAD_ADDRESS + 2, 4, 4)]),
            "a segment past memory": elf(segments=[one, (PT_LOAD, 0, 512 * MIB - 2, 4, 4)]),
            "a segment over the hole": elf(segments=[one, (PT_LOAD, 0, 0xC000_0000, 4, 4)]),
            "a segment that wraps around": elf(segments=[one, (PT_LOAD, 0, (1 << 64) - 2, 4, 4)]),
            "a segment as large as the address space": elf(segments=[one, (PT_LOAD, 0, 2 * MIB, 4, (1 << 64) - 1)]),
            "a segment over the ACPI tables": elf(segments=[one, (PT_LOAD, 0, 0xE0000, 4, 4)]),
            "a segment over the boot GDT": elf(segments=[one, (PT_LOAD, 0, 0x500, 4, 4)]),
            "a dynamic one with an interpreter": elf(kind=ET_DYN, segments=[one, (PT_INTERP, 0, 0, 4, 4)]),
        }.items():
            with self.subTest(name=name):
                self.expect_image_refused(content)

    def test_the_hole_for_devices_is_no_memory_in_a_large_guest_either(self):
        code = machine.EXIT_0
        over = elf(segments=[(PT_LOAD, 0, LOAD_ADDRESS, 4, 4), (PT_LOAD, 0, 0xC000_0000 - 2, len(code), len(code))])
        self.expect_image_refused(over, "hole", options=["--mem", "5G"])

    def test_one_that_needs_more_memory_says_so(self):
        needs = elf(segments=[(PT_LOAD, 0, LOAD_ADDRESS, 4, 64 * MIB)])
        self.expect_image_refused(needs, "--mem", options=["--mem", "32M"])
        self.expect(self.account(self.file("image", needs), "--mem", "128M"), 0)

    def test_the_programs_own_binary_is_no_guest(self):
        self.expect_image_refused(pathlib.Path(program.KVMBENCH))


class BzImage(Case):
    def test_a_sound_one_runs(self):
        for content in (bzimage(), gzip.compress(bzimage())):
            self.expect(self.account(self.file("image", content)), 0)

    def test_one_that_is_cut_off_anywhere_is_refused(self):
        whole = bzimage()
        for length in (0x206, 0x207, 0x210, 0x250, 0x264, 0x268, 0x26B, 4 * 512, 4 * 512 + 1, len(whole) - 17):
            with self.subTest(length=hex(length)):
                self.expect_image_refused(whole[:length])

    def test_damaged_headers_are_refused(self):
        for changes in (
            {"boot_flag": 0},
            {"version": 0x020B},  # before the 64-bit boot protocol
            {"version": 0},
            {"loadflags": 0},  # a zImage
            {"xloadflags": 0},  # a 32-bit kernel
            {"setup_sects": 255},
            {"jump": 0x00EB},  # a header of no length
            {"syssize": 0xFFFFFFFF},
            {"syssize": 0x1000},
            {"kernel_alignment": 0x300000},
            {"kernel_alignment": 0},
            {"payload_offset": 0xFFFFFFFF, "payload_length": 0xFFFFFFFF},
            {"payload_length": 0x10000},
            {"pref_address": 0x1_0000_0000},
            {"pref_address": (1 << 64) - 1},
            {"pref_address": 0xBFFFFF00},
            {"pref_address": 511 * MIB},
            {"init_size": 0xFFFFFFFF},
            {"init_size": 500 * MIB},
        ):
            with self.subTest(**changes):
                self.expect_image_refused(bzimage(**changes))

    def test_an_initrd_that_does_not_fit_is_refused_by_its_name(self):
        image = self.file("kernel", bzimage())
        initrd = self.file("initrd")
        for size, options, changes in (
            (64 * MIB, ["--mem", "64M"], {}),
            (50 * MIB, ["--mem", "64M"], {}),  # there is room, but not in one piece
            (4 * MIB, [], {"initrd_addr_max": 0x10FFFF}),
            (1, [], {"initrd_addr_max": 0}),
        ):
            with self.subTest(size=size, **changes):
                os.truncate(initrd, size)
                image.write_bytes(bzimage(**changes))
                self.expect_refusal(self.run_program("run", image, "--initrd", initrd, *options), 2, str(initrd))

    def test_an_initrd_is_read_with_the_same_care_as_an_image(self):
        image = self.file("kernel", bzimage())
        for path in (self.path / "missing", self.path, self.file("empty")):
            with self.subTest(path=path.name):
                self.expect_refusal(self.run_program("run", image, "--initrd", path), 2, str(path))

    def test_a_command_line_longer_than_the_kernel_takes_is_refused(self):
        image = self.file("kernel", bzimage(cmdline_size=100))
        self.expect(self.account(image, "--cmdline", "x" * 100), 0)
        self.expect_refusal(self.run_program("run", image, "--cmdline", "x" * 101), 2, "101", "100")

    def test_a_command_line_longer_than_any_is_refused(self):
        for image in ("@hello", self.file("kernel", bzimage(cmdline_size=0xFFFFFFFF))):
            with self.subTest(image=str(image)):
                self.expect_refusal(self.run_program("run", image, "--cmdline", "x" * 70000), 2, "70000")


class Options(Case):
    def test_what_an_image_does_not_take_is_refused(self):
        raw = ["--mode", "64"]
        kernel, plain = bzimage(), elf()
        extra = self.file("extra", b"extra")
        for content, options in (
            (kernel, ["--module", extra]),
            (plain, ["--initrd", extra]),
            (plain, ["--module", extra]),
            (machine.EXIT_0, [*raw, "--initrd", extra]),
            (machine.EXIT_0, [*raw, "--module", extra]),
            (machine.EXIT_0, [*raw, "--cmdline", "x"]),
        ):
            with self.subTest(options=options):
                self.expect_image_refused(content, options=options)

    def test_an_unknown_built_in_guest_is_answered_by_those_there_are(self):
        for name in ("@nonexistent", "@", "@Hello"):
            with self.subTest(name=name):
                self.expect_refusal(self.run_program("run", name), 2, f"{name}: ", "@hello", "@mix")

    def test_the_built_in_guests_are_elf_files_that_run_from_a_file_too(self):
        done = self.account(program.GUESTS / "hello.elf")
        self.expect(done, 0)
        self.assertEqual(done.out, b"Hello from inside the virtual machine.\r\n")


if __name__ == "__main__":
    machine.main()
