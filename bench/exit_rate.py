"""Exits per second of port and MMIO writes, with full accounting, against the bare KVM_RUN loop and QEMU."""

import json
import re
import statistics

import measuring
import monitors

ROUNDS = 15
BATCH, BATCHES = 64, 60
ARMS = [monitors.BARE, monitors.KVMBENCH, monitors.MICROVM, monitors.PC]


def tsc_hz(build):
    """Of this host, as kvmbench knows it."""
    done = measuring.run(
        [build.kvmbench, "run", "--allow-unstable-tsc", "--serial", "null", "--report", "json", build.exits]
    )
    if done.returncode != 0:
        raise measuring.Unavailable(done.stderr.strip())
    return json.loads(done.stdout)["tsc_khz"] * 1000


def cycles_an_exit(build, monitor, kind):
    """The first decile of the batches of one run, each timed by the guest: other programs' load slows the rest."""
    if not monitors.present(monitor):
        raise measuring.Unavailable(f"no {monitors.QEMU} here (apt-get install qemu-system-x86)")
    options = f"kind={kind} batch={BATCH} batches={BATCHES}"
    done = measuring.run(monitors.command(build, monitor, build.exits, options))
    batches = [int(cycles) for cycles in re.findall(r"cycles (\d+)", done.stdout)]
    if done.returncode != monitors.status_of_success(monitor) or len(batches) != BATCHES:
        raise measuring.Unavailable(f"status {done.returncode}: {done.stderr.strip()[:100]}")
    return statistics.quantiles(batches, n=10)[0] / BATCH


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
        measuring.needs(monitors.BARE, failed)
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
    table.note(f"Medians of {rounds} interleaved rounds (quartiles), each the first decile of {BATCHES} batches of {BATCH}.")
    table.note("The bare loop takes a serial byte into a buffer and no more.")
    table.print()
