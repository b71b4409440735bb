"""The virtual machine monitors that are compared: how each runs a PVH image with a command line on one vCPU."""

import pathlib
import shutil

MEMORY_MIB = 128
QEMU = "qemu-system-x86_64"
BARE, KVMBENCH, MICROVM, PC = "bare loop", "kvmbench", "QEMU microvm", "QEMU pc"


class Build:
    """The programs and guests of a build directory."""

    def __init__(self, directory):
        directory = pathlib.Path(directory).resolve()
        self.kvmbench = directory / "src" / "kvmbench"
        self.bare_loop = directory / "bench" / "bare_loop"
        self.merge_cost = directory / "bench" / "merge_cost"
        self.recorder_cost = directory / "bench" / "recorder_cost"
        self.page_cost = directory / "bench" / "page_cost"
        self.probe = directory / "bench" / "probe"
        self.frame_echo = directory / "bench" / "frame_echo"
        self.count_exits = directory / "bench" / "count_exits.so"
        self.exits = directory / "bench" / "exits.elf"
        self.first_write = directory / "bench" / "first_write.elf"
        self.guests = directory / "guests"


def qemu(machine):
    """QEMU with nothing that the guest does not need; -arch-capabilities, as KVM on some hosts offers that MSR but
    does not let it be set."""
    return [
        QEMU, "-M", machine, "-accel", "kvm", "-cpu", "host,-arch-capabilities", "-m", str(MEMORY_MIB),
        "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio",
    ]


def command(build, monitor, image, command_line, report="none", devices=()):
    """The command that runs the image, its serial output on stdout and, for kvmbench, its report as well; `devices` are
    further options of that monitor."""
    if monitor == BARE:
        return [build.bare_loop, image, command_line]
    if monitor == KVMBENCH:
        return [
            build.kvmbench, "run", "--allow-unstable-tsc", "--mem", f"{MEMORY_MIB}M", "--report", report,
            *devices, "--cmdline", command_line, image,
        ]
    machine = {MICROVM: "microvm", PC: "pc"}[monitor]
    debug_exit = ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    return [*qemu(machine), *devices, *debug_exit, "-kernel", image, "-append", command_line]


def status_of_success(monitor):
    """What a monitor exits with when its guest has written 0 to the debug exit port."""
    return 1 if monitor in (MICROVM, PC) else 0


def present(monitor):
    return monitor not in (MICROVM, PC) or shutil.which(QEMU) is not None
