"""Disks, virtio and emulated, against QEMU's: userspace exits per request of 4 KiB, requests per second."""

import pathlib
import tempfile

import device_guests
import exit_rate
import measuring
from device_guests import EMULATED, KVMBENCH_EMULATED, KVMBENCH_VIRTIO, QEMU_VIRTIO, VIRTIO

ROUNDS = 5
IMAGE_MIB = 64
DEPTHS = (1, 8, 32)
WORK = {"write": 0x51, "read": 0x53}  # phases of @disk
REQUESTS = {"virtio": {"poll": 512, "irq": 256}, "emulated": {"poll": 16, "irq": 16}}
# As Linux drives a disk: with events, and without a notification that the device does not want.
VIRTIO_OPTIONS = "event_idx=1 indirect=1 suppress=1"


def devices(arm, image):
    if arm in (KVMBENCH_VIRTIO, KVMBENCH_EMULATED):
        model = "virtio" if arm == KVMBENCH_VIRTIO else "ata"
        return ["--disk", f"{image},model={model}"]
    drive = f"file={image},format=raw,cache=writeback"
    if arm == QEMU_VIRTIO:
        modern = ["-global", "virtio-mmio.force-legacy=false"]
        return [*modern, "-drive", f"if=none,id=disk,{drive}", "-device", "virtio-blk-device,drive=disk"]
    return ["-drive", f"if=ide,index=0,media=disk,{drive}"]


def options(arm, wait, depth):
    common = f"wait={wait} n={REQUESTS[arm.model][wait]} access=random"
    if arm.model == "emulated":
        return f"{common} model=ata"
    return f"{common} {VIRTIO_OPTIONS} depth={depth} batch={max(1, depth // 4)}"


def measured(build, arm, image, wait, depth, frequency):
    """{write, read: (exits a request, requests a second)}"""
    done = device_guests.run(build, arm, "disk", options(arm, wait, depth), devices(arm, image))
    return {
        name: (done.exits[phase] / done.rows[name].count, frequency / done.rows[name].each)
        for name, phase in WORK.items()
    }


def add_rows(table, results, failed, wait, depth):
    for arm in sorted(set(results) | set(failed)):
        if arm in failed:
            table.unavailable(wait, depth, f"{arm.monitor} {arm.model}", failed[arm])
            continue
        cells = []
        for figure, form in ((0, "{:.3g}"), (1, "{:,.0f}")):
            cells += [measuring.spread([one[name][figure] for one in results[arm]], form) for name in WORK]
        table.row(wait, depth, f"{arm.monitor} {arm.model}", *cells)


def median(results, arm, name, figure):
    return measuring.median([one[name][figure] for one in results[arm]])


def best(results, arm, name):
    """Requests a second of the best round: what else runs on the host only slows."""
    return max(one[name][1] for one in results[arm])


def add_goals(goals, results, emulated, wait, depth):
    if KVMBENCH_VIRTIO not in results:
        return
    for name in WORK:
        exits = median(results, KVMBENCH_VIRTIO, name, 0)
        what = f"{wait}, depth {depth}, {name}"
        if QEMU_VIRTIO in results:
            ratio = best(results, KVMBENCH_VIRTIO, name) / best(results, QEMU_VIRTIO, name)
            goals.row(f"{what}: requests/s, to QEMU's", f"{ratio:.2f}", goal=measuring.at_least(1), value=ratio)
            limit = median(results, QEMU_VIRTIO, name, 0)
            goals.row(f"{what}: exits a request, QEMU's {limit:.3g}", f"{exits:.3g}",
                      goal=measuring.at_most(round(limit, 3)), value=exits)
        if depth == max(DEPTHS) and KVMBENCH_EMULATED in emulated:
            share = exits / median(emulated, KVMBENCH_EMULATED, name, 0)
            goals.row(f"{what}: exits, to the emulated disk's", f"{share:.5f}", goal=measuring.below(0.05), value=share)


def measure(build, rounds):
    rounds = rounds or ROUNDS
    frequency = exit_rate.tsc_hz(build)
    table = measuring.Table(
        "disk: requests of 4 KiB at random places", "wait", "depth", "monitor and model",
        "exits/write", "exits/read", "writes/s", "reads/s",
    )
    goals = measuring.Table("disk: goals of kvmbench's virtio", "what", "measured")
    with tempfile.TemporaryDirectory(prefix="kvmbench-bench.") as directory:
        image = pathlib.Path(directory) / "disk.img"
        image.write_bytes(bytes(IMAGE_MIB << 20))
        for wait in ("poll", "irq"):
            emulated, failed = measuring.interleaved(
                rounds, EMULATED, lambda arm, wait=wait: measured(build, arm, image, wait, 1, frequency)
            )
            add_rows(table, emulated, failed, wait, 1)
            for depth in DEPTHS:
                results, failed = measuring.interleaved(
                    rounds, VIRTIO,
                    lambda arm, wait=wait, depth=depth: measured(build, arm, image, wait, depth, frequency),
                )
                add_rows(table, results, failed, wait, depth)
                add_goals(goals, results, emulated, wait, depth)
    table.note(f"Medians of {rounds} interleaved rounds (quartiles); one backing file in the page cache, cache=writeback.")
    table.note(f"virtio: {VIRTIO_OPTIONS}, a notification for every quarter of the depth. Emulated: READ/WRITE SECTORS EXT by")
    table.note("PIO, one request at a time. With wait=irq the guest halts in ring 0, which some KVMs emulate.")
    table.note("Exits: returns of KVM_RUN in the phase, counted the same way in every monitor.")
    goals.note("Requests/s are those of the best round of each.")
    table.print()
    goals.print()
