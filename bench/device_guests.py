"""Runs @disk and @net on devices of several monitors: what each operation took, and how many userspace exits it had."""

import collections
import os
import pathlib
import tempfile

import measuring
import monitors

Arm = collections.namedtuple("Arm", "monitor model")
KVMBENCH_VIRTIO = Arm(monitors.KVMBENCH, "virtio")
KVMBENCH_EMULATED = Arm(monitors.KVMBENCH, "emulated")
QEMU_VIRTIO = Arm(monitors.MICROVM, "virtio")
QEMU_EMULATED = Arm(monitors.PC, "emulated")
VIRTIO = [KVMBENCH_VIRTIO, QEMU_VIRTIO]
EMULATED = [KVMBENCH_EMULATED, QEMU_EMULATED]

# A row of lib/latency.h's table.
Row = collections.namedtuple("Row", "count each mean p50 p99 max deviation jitter")


class Run:
    """What a guest printed, by name, and the exits of each of its phases."""

    def __init__(self, rows, exits):
        self.rows = rows
        self.exits = exits


def parse_rows(output):
    rows = {}
    for line in output.splitlines()[1:]:
        name, *figures = line.split()
        if len(figures) == len(Row._fields):
            rows[name] = Row(*map(int, figures))
    return rows


def parse_exits(text):
    exits = collections.Counter()
    for line in text.splitlines():
        phase, _, count = map(int, line.split())
        exits[phase] += count
    return exits


def run(build, arm, guest, options, devices):
    """Runs a guest on an arm with its device; raises Unavailable with the monitor's words where it does not succeed."""
    if not monitors.present(arm.monitor):
        raise measuring.Unavailable(f"no {monitors.QEMU} here (apt-get install qemu-system-x86)")
    image = build.guests / f"{guest}.elf"
    with tempfile.TemporaryDirectory(prefix="kvmbench-bench.") as directory:
        counted = pathlib.Path(directory) / "exits"
        environment = {**os.environ, "LD_PRELOAD": str(build.count_exits), "COUNT_EXITS": str(counted)}
        argv = monitors.command(build, arm.monitor, image, options, devices=devices)
        done = measuring.run(argv, env=environment, timeout=120)
        rows = parse_rows(done.stdout)
        if done.returncode != monitors.status_of_success(arm.monitor) or not rows:
            said = (done.stderr.strip() or done.stdout.strip())[-150:]
            raise measuring.Unavailable(f"status {done.returncode}: {said}")
        return Run(rows, parse_exits(counted.read_text()))
