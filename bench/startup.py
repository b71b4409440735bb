"""Wall time from process start to the guest's first port write; peak resident memory beyond the guest's."""

import re

import measuring
import monitors

ROUNDS = 25
ARMS = [monitors.BARE, monitors.KVMBENCH, monitors.MICROVM]


def probed(build, monitor):
    """(milliseconds, MiB)"""
    if not monitors.present(monitor):
        raise measuring.Unavailable(f"no {monitors.QEMU} here (apt-get install qemu-system-x86)")
    argv = monitors.command(build, monitor, build.first_write, "", report="text")
    printed = measuring.run([build.probe, monitors.MEMORY_MIB, *argv])
    values = re.match(r"first_us ([\d.]+) peak_kib (\d+) guest_kib (\d+) status (\d+)", printed.stdout)
    if not values or int(values[4]) != monitors.status_of_success(monitor):
        raise measuring.Unavailable(f"{printed.stdout.strip()} {printed.stderr.strip()[:100]}")
    return float(values[1]) / 1000, (int(values[2]) - int(values[3])) / 1024


def measure(build, rounds):
    rounds = rounds or ROUNDS
    results, failed = measuring.interleaved(rounds, ARMS, lambda monitor: probed(build, monitor))
    measuring.needs(monitors.BARE, failed)
    table = measuring.Table(
        "startup: process start to the guest's first port write, and memory",
        "monitor", "ms", "least ms", "to bare loop", "peak MiB beyond guest memory",
    )
    goals = measuring.Table("startup: goals of kvmbench", "what", "measured")
    for arm in ARMS:
        if arm in failed:
            table.unavailable(arm, failed[arm])
            continue
        times, memory = zip(*results[arm])
        ratio = measuring.ratios(times, [time for time, _ in results[monitors.BARE]])
        table.row(
            arm, measuring.spread(times, "{:.1f}"), f"{min(times):.1f}", measuring.spread(ratio, "{:.2f}"),
            measuring.spread(memory, "{:.1f}"),
        )
        if arm == monitors.KVMBENCH:
            goals.row("time, to the bare loop's", f"{measuring.median(ratio):.2f}",
                      goal=measuring.at_most(1.4), value=measuring.median(ratio))
            goals.row("memory, MiB", f"{max(memory):.1f}", goal=measuring.below(6, " MiB"), value=max(memory))
    table.note(f"Medians of {rounds} interleaved rounds (quartiles).")
    table.note("The write is seen when its byte arrives through the serial port's pipe.")
    table.note("Memory: the greatest resident set (ru_maxrss, shared libraries included, kvmbench's with its text")
    table.note("report), less what is resident of the guest's memory.")
    table.print()
    goals.print()
