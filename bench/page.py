"""What the guest's own view adds to an exit, with the shared page kept and without."""

import measuring

ROUNDS = 30
CASES = {
    "not-kept": "no guest has asked for the page",
    "kept": "page kept",
    "kept-without-kernel": "page kept, on a kernel without its own count",
}


def measure(build, rounds):
    rounds = rounds or ROUNDS
    finished = measuring.run([build.page_cost, rounds])
    if finished.returncode != 0:
        raise measuring.Unavailable(finished.stderr.strip() or "page_cost failed")
    times = {case: [] for case in CASES}
    for line in finished.stdout.splitlines():
        case, nanoseconds = line.split()
        times[case].append(float(nanoseconds))
    table = measuring.Table("page: nanoseconds that the guest's own view adds to an exit", "case", "ns an exit", "least")
    for case, name in CASES.items():
        if times[case]:
            table.row(name, measuring.spread(times[case], "{:.1f}"), f"{min(times[case]):.1f}")
        else:
            table.row(name, "this kernel keeps no count of its own", "")
    table.note(f"Medians of {rounds} interleaved rounds (quartiles), in CPU time of the thread; four reasons counted.")
    table.print()
