#!/usr/bin/env python3
"""A stock Debian kernel under kvmbench in the lab: boots to a busybox initramfs, answers what is typed, powers off.

linux_test.py BzImage | Vmlinux: the kernel as its package has it (Linux boot protocol), or the ELF file in it (PVH).
"""

import re
import shutil
import subprocess
import unittest

import extract_vmlinux
import lab

GUEST_POWERED_OFF = 0
GUEST_RESET = 6

# noxsave and nohz=off because of the lab's emulation (scripts/lab, "gaps").
PARAMETERS = "console=ttyS0 quiet noxsave nohz=off panic=-1"
MEMORY = {"128M": 128 << 20, "5G": 5 << 30}
# What a kernel keeps for itself (its image, struct pages, the first megabyte) and does not call MemTotal.
KERNEL_SHARE = {"128M": 40 << 20, "5G": 300 << 20}


def write_initramfs(directory, path, init="init", programs=(), modules=()):
    """Of busybox and the programs in /bin, with their libraries, and with a file of this directory as its init.

    Modules, paths as lab.modules() gives them, are in /modules, and the file /modules/load has the commands that load
    them.
    """
    tree = directory / "initramfs"
    for folder in ("bin", "proc", "sys", "modules"):
        (tree / folder).mkdir(parents=True)
    for module in modules:
        shutil.copy(module, tree / "modules")
    (tree / "modules" / "load").write_text("".join(f"insmod /modules/{module.name}\n" for module in modules))
    for program in (shutil.which("busybox"), *programs):
        shutil.copy(program, tree / "bin")
        for library in libraries(program):
            place = tree / library.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, place)
    shutil.copy(lab.HERE / init, tree / "init")
    names = "\n".join(["."] + [str(file.relative_to(tree)) for file in tree.rglob("*")])
    with open(path, "wb") as archive:
        command = ["cpio", "-o", "-H", "newc", "-R", "0:0", "--quiet"]
        subprocess.run(command, cwd=tree, input=names.encode(), stdout=archive, check=True)
    shutil.rmtree(tree)


def libraries(program):
    """The paths of the shared libraries that a program needs, its loader among them; none where it is static."""
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    return re.findall(r"(/\S+) \(0x", done.stdout)


class DebianKernel:
    """The tests of each image; a subclass says how to write it."""

    # cpus, memory, ending; each is one boot, named after them
    BOOTS = [(1, "128M", "poweroff"), (2, "128M", "poweroff"), (1, "5G", "poweroff"), (2, "5G", "reboot")]

    @staticmethod
    def write_image(path):
        raise NotImplementedError

    @staticmethod
    def name(cpus, memory, ending):
        return f"{cpus}-{memory}-{ending}"

    @classmethod
    def setUpClass(cls):
        boots = [
            f"dialogue {cls.name(cpus, memory, ending)} 'which sum?' '6 * 7'"
            f" image --initrd initrd --cpus {cpus} --mem {memory} --serial stdio --timeout 100s"
            f" --cmdline '{PARAMETERS} ending={ending}'"
            for cpus, memory, ending in cls.BOOTS
        ]
        with lab.directory() as directory:
            cls.write_image(directory / "image")
            write_initramfs(directory, directory / "initrd")
            cls.results = lab.run(directory, "\n".join(boots), "--mem", "1200", "--timeout", "500")

    def subtests(self, check):
        """Calls check(output, boot, name) for each boot, under its name."""
        for boot in self.BOOTS:
            name = self.name(*boot)
            with self.subTest(boot=name):
                try:
                    check("\n" + self.results.text(f"{name}.out"), boot, name)
                except AssertionError as error:
                    raise AssertionError(f"{error}\n{self.results.everything(name)}") from None

    def test_sees_the_cpus_it_was_given(self):
        self.subtests(lambda output, boot, _: self.assertIn(f"\ncpus: {boot[0]}\n", output))

    def test_sees_the_memory_it_was_given(self):
        def check(output, boot, _):
            shown = int(re.search(r"\nmemory: (\d+) kB\n|$", output)[1] or 0) * 1024
            self.assertLess(shown, MEMORY[boot[1]])
            self.assertGreater(shown, MEMORY[boot[1]] - KERNEL_SHARE[boot[1]])

        self.subtests(check)

    def test_complains_of_nothing(self):
        self.subtests(lambda output, *_: self.assertIn("\ncomplaints: 0\n", output))

    def test_answers_what_is_typed_on_its_serial_port(self):
        self.subtests(lambda output, *_: self.assertIn("\nanswer: 42\n", output))

    def test_ends_with_the_documented_status(self):
        expected = {"poweroff": GUEST_POWERED_OFF, "reboot": GUEST_RESET}
        self.subtests(lambda _, boot, name: self.assertEqual(self.results.status(name), expected[boot[2]]))


class BzImage(DebianKernel, unittest.TestCase):
    @staticmethod
    def write_image(path):
        shutil.copy(lab.kernel(), path)


class Vmlinux(DebianKernel, unittest.TestCase):
    @staticmethod
    def write_image(path):
        extract_vmlinux.main(lab.kernel(), path)


if __name__ == "__main__":
    lab.main()
