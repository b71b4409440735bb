"""Network cards, virtio and emulated, against QEMU's: userspace exits and latency per frame that is answered."""

import contextlib
import pathlib
import subprocess
import tempfile

import device_guests
import exit_rate
import measuring
from device_guests import EMULATED, KVMBENCH_EMULATED, KVMBENCH_VIRTIO, QEMU_VIRTIO, VIRTIO

ROUNDS = 5
DEPTHS = (1, 8, 32)
WORK = 0x61  # phase of @net
FRAMES = {"poll": 512, "irq": 256}
VIRTIO_OPTIONS = "event_idx=1 suppress=1"


def devices(arm, path):
    if arm in (KVMBENCH_VIRTIO, KVMBENCH_EMULATED):
        model = "virtio" if arm == KVMBENCH_VIRTIO else "e1000"
        return ["--net", f"socket={path},model={model}"]
    backend = ["-netdev", f"stream,id=net,server=off,addr.type=unix,addr.path={path}"]
    if arm == QEMU_VIRTIO:
        return ["-global", "virtio-mmio.force-legacy=false", *backend, "-device", "virtio-net-device,netdev=net"]
    return [*backend, "-device", "e1000,netdev=net"]


def options(arm, wait, depth):
    model = "model=e1000" if arm.model == "emulated" else VIRTIO_OPTIONS
    return f"{model} wait={wait} n={FRAMES[wait]} depth={depth} batch={max(1, depth // 4)}"


@contextlib.contextmanager
def echo(build, directory):
    """The path of a socket behind which frames are answered."""
    path = pathlib.Path(directory) / "socket"
    server = subprocess.Popen([build.frame_echo, path], stdout=subprocess.PIPE, text=True)
    try:
        if server.stdout.readline() != "listening\n":
            raise measuring.Unavailable("frame_echo does not listen")
        yield path
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def measured(build, arm, wait, depth, frequency):
    """(exits a frame, microseconds of p50, of p99, frames a second)"""
    with tempfile.TemporaryDirectory(prefix="kvmbench-bench.") as directory, echo(build, directory) as path:
        done = device_guests.run(build, arm, "net", options(arm, wait, depth), devices(arm, path))
    row = done.rows["echo"]
    microsecond = frequency / 1e6
    return done.exits[WORK] / row.count, row.p50 / microsecond, row.p99 / microsecond, frequency / row.each


def add_rows(table, results, failed, wait, depth):
    for arm in sorted(set(results) | set(failed)):
        name = f"{arm.monitor} {arm.model}"
        if arm in failed:
            table.unavailable(wait, depth, name, failed[arm])
            continue
        exits, p50, p99, rate = zip(*results[arm])
        table.row(wait, depth, name, measuring.spread(exits), measuring.spread(p50, "{:,.0f}"),
                  measuring.spread(p99, "{:,.0f}"), measuring.spread(rate, "{:,.0f}"))


def add_goals(goals, results, wait, depth):
    if KVMBENCH_VIRTIO not in results or QEMU_VIRTIO not in results:
        return
    mine, theirs = results[KVMBENCH_VIRTIO], results[QEMU_VIRTIO]
    ratio = max(one[3] for one in mine) / max(one[3] for one in theirs)
    goals.row(f"{wait}, depth {depth}: frames/s, to QEMU's", f"{ratio:.2f}", goal=measuring.at_least(1), value=ratio)
    exits, limit = (measuring.median([one[0] for one in results[arm]]) for arm in (KVMBENCH_VIRTIO, QEMU_VIRTIO))
    goals.row(f"{wait}, depth {depth}: exits a frame, QEMU's {limit:.3g}", f"{exits:.3g}",
              goal=measuring.at_most(round(limit, 3)), value=exits)


def measure(build, rounds):
    rounds = rounds or ROUNDS
    frequency = exit_rate.tsc_hz(build)
    table = measuring.Table(
        "net: frames of 60 bytes, answered by another process", "wait", "depth", "monitor and model",
        "exits/frame", "p50 us", "p99 us", "frames/s",
    )
    goals = measuring.Table("net: goals of kvmbench's virtio", "what", "measured")
    for wait in ("poll", "irq"):
        for depth in DEPTHS:
            results, failed = measuring.interleaved(
                rounds, VIRTIO + EMULATED,
                lambda arm, wait=wait, depth=depth: measured(build, arm, wait, depth, frequency),
            )
            add_rows(table, results, failed, wait, depth)
            add_goals(goals, results, wait, depth)
    table.note(f"Medians of {rounds} interleaved rounds (quartiles). Every monitor has its frames answered over a Unix socket by")
    table.note("the same program. A frame is one that is sent and its answer; latency is from the one to the other.")
    table.note(f"virtio: {VIRTIO_OPTIONS}; each card is notified for every quarter of the depth.")
    table.note("With wait=irq the guest halts in ring 0, which some KVMs emulate.")
    table.note("Exits: returns of KVM_RUN in the phase, counted the same way in every monitor.")
    goals.note("Frames/s are those of the best round of each: what else runs on the host only slows.")
    table.print()
    goals.print()
