"""A stock Debian kernel in the lab, from process start to its initramfs's first output: time, exits by reason."""

import collections
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile

import measuring
import monitors

ROUNDS = 3
HERE = pathlib.Path(__file__).resolve().parent
LAB = HERE.parent / "scripts" / "lab"
FIRMWARE = pathlib.Path("/usr/share/qemu")
FIRST_OUTPUT = "first output"
COMMAND_LINE = "console=ttyS0 quiet"
NESTED_PAGE_FAULT = 0x400  # AMD APM vol. 2, appendix C
QEMU, KVMBENCH = "qemu", "kvmbench"
NAMES = {QEMU: monitors.MICROVM, KVMBENCH: monitors.KVMBENCH}
# linux/kvm.h; the tracepoint has a KVM_RUN that failed as a reason, too.
REASONS = {0: "unknown", 2: "io", 5: "hlt", 6: "mmio", 7: "irq window open", 8: "shutdown", 10: "intr"}


def write_initramfs(directory):
    tree = directory / "tree"
    (tree / "bin").mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), tree / "bin" / "busybox")
    init = tree / "init"
    init.write_text(f"#!/bin/busybox sh\necho {FIRST_OUTPUT}\nexec /bin/busybox sleep 1000\n")
    init.chmod(0o755)
    with open(directory / "initrd", "wb") as archive:
        names = ".\nbin\nbin/busybox\ninit"
        subprocess.run(["cpio", "-o", "-H", "newc", "-R", "0:0", "--quiet"], cwd=tree, input=names.encode(),
                       stdout=archive, check=True)
    shutil.rmtree(tree)


def commands(build):
    """Shell functions that boot the kernel until it is heard."""
    argv = {
        QEMU: [*monitors.qemu("microvm"), "-kernel", "kernel", "-initrd", "initrd", "-append", COMMAND_LINE],
        KVMBENCH: [
            build.kvmbench, "run", "--allow-unstable-tsc", "--mem", f"{monitors.MEMORY_MIB}M", "--report", "json",
            "--cmdline", COMMAND_LINE, "--initrd", "initrd", "kernel",
        ],
    }
    probe = [build.probe, "--until", FIRST_OUTPUT, "--kill", 0]
    return "".join(
        f"{name}() {{ {shlex.join(str(word) for word in [*probe, *words])}; }}\n" for name, words in argv.items()
    )


def run_in_lab(build, rounds):
    for program in (monitors.QEMU, "busybox", "cpio"):
        if not shutil.which(program):
            raise measuring.Unavailable(f"no {program} here")
    kernel = measuring.run([LAB, "--print-kernel"])
    if kernel.returncode != 0:
        raise measuring.Unavailable(kernel.stderr.strip())
    with tempfile.TemporaryDirectory(prefix="kvmbench-bench.") as path:
        directory = pathlib.Path(path)
        shutil.copy(kernel.stdout.strip(), directory / "kernel")
        write_initramfs(directory)
        (directory / "commands").write_text(commands(build))
        added = [build.kvmbench, build.probe, shutil.which(monitors.QEMU), directory, HERE / "linux_boot.sh"]
        added += [FIRMWARE / name for name in ("bios-microvm.bin", "linuxboot_dma.bin", "kvmvapic.bin")]
        added = [word for file in added for word in ("--add", file)]
        done = measuring.run(
            [LAB, "--retry-standstill", "--mem", 1600, "--timeout", 900, *added]
            + ["--", "sh", HERE / "linux_boot.sh", rounds],
            cwd=path,
            timeout=2000,
        )
    if done.returncode != 0:
        raise measuring.Unavailable(f"the lab exited with {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout


def parse(output):
    """({monitor: seconds}, {(monitor, event): Counter of reasons}, kvmbench's report)"""
    times, counts, report = collections.defaultdict(list), collections.defaultdict(collections.Counter), {}
    for line in output.splitlines():
        kind, rest = line.split(" ", 1)
        if kind == "time":
            monitor, values = rest.split(" ", 1)
            times[monitor].append(float(re.search(r"first_us ([-\d.]+)", values)[1]) / 1e6)
        elif kind == "count":
            monitor, event, reason, count = rest.split()
            counts[monitor, event][int(reason, 0)] += int(count)
        elif kind == "report" and "{" in rest:
            report, _ = json.JSONDecoder().raw_decode(rest, rest.index("{"))
    return times, counts, report


def print_goals(times, userspace, faults):
    table = measuring.Table("linux-boot: from process start to the initramfs's first output", "what", *NAMES.values())
    ratio = measuring.ratios(times[KVMBENCH], times[QEMU])
    table.row(
        "seconds of the emulated machine", *(measuring.spread(times[name], "{:.2f}") for name in NAMES)
    )
    table.row(
        "time, to QEMU's", "1", measuring.spread(ratio, "{:.2f}"),
        goal=measuring.below(0.5), value=measuring.median(ratio),
    )
    table.row("userspace exits", *userspace.values(), goal=measuring.below(800), value=userspace[KVMBENCH])
    table.row(
        "nested page faults", *faults.values(), goal=measuring.at_most(faults[QEMU]), value=faults[KVMBENCH]
    )
    table.note("Debian's cloud kernel with 'quiet', 128 MiB, one vCPU, nested paging.")
    table.note("Times are those of an emulated host (scripts/lab).")
    table.print()


def print_counts(title, counts, name_of):
    table = measuring.Table(title, "reason", *NAMES.values())
    reasons = set().union(*counts.values())
    for reason in sorted(reasons, key=lambda reason: -max(counts[name][reason] for name in NAMES)):
        table.row(name_of(reason), *(counts[name][reason] for name in NAMES))
    table.print()


def print_keys(report):
    table = measuring.Table(
        "linux-boot: kvmbench's userspace exits, by its report", "reason", "address", "device", "count"
    )
    keys = sorted((key for vcpu in report.get("vcpus", []) for key in vcpu["keys"]), key=lambda key: -key["count"])
    for key in keys[:20]:
        device = f"{key.get('device', '')} {key.get('register', '')} {key['direction']}"
        table.row(key["reason_name"], hex(key["address"]), device, key["count"])
    table.print()


def measure(build, rounds):
    try:
        times, counts, report = parse(run_in_lab(build, rounds or ROUNDS))
    except measuring.Unavailable as error:
        table = measuring.Table("linux-boot: from process start to the initramfs's first output", "what", "")
        table.unavailable("linux-boot", error)
        table.print()
        return
    userspace = {name: counts[name, "kvm_userspace_exit"] for name in NAMES}
    hardware = {name: counts[name, "kvm_exit"] for name in NAMES}
    print_goals(
        times,
        {name: sum(userspace[name].values()) for name in NAMES},
        {name: hardware[name][NESTED_PAGE_FAULT] for name in NAMES},
    )
    print_counts("linux-boot: userspace exits by reason", userspace, lambda reason: REASONS.get(reason, str(reason)))
    print_counts("linux-boot: hardware exits by SVM exit code", hardware, hex)
    print_keys(report)
