"""User-mode instructions per exit by valgrind's callgrind: the slope between two numbers of exits."""

import re
import shutil

import measuring
import monitors

EXITS = (2000, 22000)
ARMS = [monitors.BARE, monitors.KVMBENCH, monitors.MICROVM]


def instructions(build, monitor, kind, exits):
    argv = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    argv += monitors.command(build, monitor, build.exits, f"kind={kind} batch={exits}")
    done = measuring.run(argv)
    collected = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != monitors.status_of_success(monitor) or not collected:
        raise measuring.Unavailable(f"under valgrind: status {done.returncode}: {done.stderr.strip()[-150:]}")
    return int(collected[1])


def per_exit(build, monitor, kind):
    if not shutil.which("valgrind"):
        raise measuring.Unavailable("no valgrind here (apt-get install valgrind)")
    if not monitors.present(monitor):
        raise measuring.Unavailable(f"no {monitors.QEMU} here (apt-get install qemu-system-x86)")
    few, many = (instructions(build, monitor, kind, exits) for exits in EXITS)
    return (many - few) / (EXITS[1] - EXITS[0])


def measure(build, rounds):
    rounds = rounds or 1
    table = measuring.Table(
        "instructions: user-mode instructions an exit, all threads", "kind", "monitor", "instructions"
    )
    for kind in ("port", "mmio", "serial"):
        results, failed = measuring.interleaved(
            rounds, ARMS, lambda monitor, kind=kind: per_exit(build, monitor, kind)
        )
        for arm in ARMS:
            if arm in failed:
                table.unavailable(kind, arm, failed[arm])
                continue
            value = measuring.median(results[arm])
            goal = measuring.below(150) if arm == monitors.KVMBENCH else None
            table.row(kind, arm, measuring.spread(results[arm], "{:,.1f}"), goal=goal, value=value)
    table.note(f"The slope between {EXITS[0]} and {EXITS[1]} exits.")
    table.note("The bare loop takes a serial byte into a buffer and no more.")
    table.print()
