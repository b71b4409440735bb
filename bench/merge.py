"""Milliseconds to add up 1000 saved reports of 200 keys: the whole command, and what its steps cost."""

import os
import pathlib
import tempfile
import time

import measuring

ROUNDS = 5
REPORTS = 1000
CASES = {"merge": "of which adding up (CPU time)", "read": "of which reading JSON (CPU time)"}


def whole_command(build, files):
    """Milliseconds that pass while kvmbench merge runs."""
    began = time.monotonic()
    done = measuring.run([build.kvmbench, "merge", *files, "-o", files[0].with_name("all.json")])
    if done.returncode != 0:
        raise measuring.Unavailable(done.stderr.strip())
    return 1e3 * (time.monotonic() - began)


def reports(build, directory):
    """As many files as there are to be; the same few again and again, more than any cache holds."""
    measuring.run([build.merge_cost, "--write", directory])
    written = sorted(directory.glob("*.json"))
    files = [directory / f"report-{number}.json" for number in range(REPORTS)]
    for number, file in enumerate(files):
        os.link(written[number % len(written)], file)
    return files


def measure(build, rounds):
    rounds = rounds or ROUNDS
    with tempfile.TemporaryDirectory(prefix="kvmbench-bench.") as directory:
        files = reports(build, pathlib.Path(directory))
        whole = [whole_command(build, files) for _ in range(rounds)]
    times = {case: [] for case in CASES}
    for line in measuring.run([build.merge_cost, rounds]).stdout.splitlines():
        case, milliseconds = line.split()
        times[case].append(float(milliseconds))
    table = measuring.Table(f"merge: {REPORTS} reports of 200 keys", "case", "ms", "least")
    table.row("kvmbench merge, from the files to the file", measuring.spread(whole, "{:.0f}"), f"{min(whole):.0f}",
              goal=measuring.below(1000, " ms"), value=measuring.median(whole))
    for case, name in CASES.items():
        table.row(name, measuring.spread(times[case], "{:.0f}"), f"{min(times[case]):.0f}")
    table.note(f"Medians of {rounds} rounds (quartiles). The command reads on {min(os.cpu_count(), 8)} threads.")
    table.print()
