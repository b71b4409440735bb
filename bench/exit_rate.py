"""Exits per second of port and MMIO writes, with full accounting, against the bare KVM_RUN loop and QEMU."""

import re

import measuring
import monitors

ROUNDS = 15
BATCH, BATCHES = 64, 60
ARMS = [monitors.BARE, monitors.KVMBENCH, monitors.MICROVM, monitors.PC]


def tsc_hz(build):
    """Of this host, as kvmbench knows it."""
    printed = measuring.run(
        [build.kvmbench, "run", "--allow-unstable-tsc", "--serial", "null", "--report", "json", build.exits]
    ).stdout
    return int(re.search(r'"tsc_khz": *(\d+)', printed)[1]) * 1000


def cycles_an_exit(build, monitor, kind):
    """The median over the batches of one run, in each of which the guest itself took the time."""
    if not monitors.present(monitor):
        raise measuring.Unavailable(f"no {monitors.QEMU} here (apt-get install qemu-system-x86)")
    options = f"kind={kind} batch={BATCH} batches={BATCHES}"
    done = measuring.run(monitors.command(build, monitor, build.exits, options))
    batches = [int(cycles) for cycles in re.findall(r"cycles (\d+)", done.stdout)]
    if done.returncode != monitors.status_of_success(monitor) or len(batches) != BATCHES:
        raise measuring.Unavailable(f"status {done.returncode}: {done.stderr.strip()[:100]}")
    return measuring.median(batches) / BATCH


def measure(build, rounds):
    rounds = rounds or ROUNDS
    frequency = tsc_hz(build)
    table = measuring.Table(
        "exit-rate: exits a second, by the guest's TSC", "kind", "monitor", "exits/s", "cycles an exit", "to bare loop"
    )
    for kind in ("port", "mmio", "serial"):
        results, failed = measuring.interleaved(
            rounds, ARMS, lambda monitor, kind=kind: cycles_an_exit(build, monitor, kind)
        )
        for arm in ARMS:
            if arm in failed:
                table.unavailable(kind, arm, failed[arm])
                continue
            ratio = measuring.ratios(results[arm], results[monitors.BARE])
            # The goal is for what kvmbench does at every exit; a serial byte's device is its own.
            goal = measuring.at_most(1.02) if arm == monitors.KVMBENCH and kind != "serial" else None
            table.row(
                kind,
                arm,
                f"{frequency / measuring.median(results[arm]):,.0f}",
                measuring.spread(results[arm], "{:,.0f}"),
                measuring.spread(ratio, "{:.3f}"),
                goal=goal,
                value=measuring.median(ratio),
            )
    table.note(f"Medians of {rounds} interleaved rounds (quartiles); a round is the median of {BATCHES} batches of {BATCH}.")
    table.note("The bare loop takes a serial byte into a buffer and no more.")
    table.print()
