"""Milliseconds to add up 1000 saved reports of 200 keys, and to read them."""

import measuring

ROUNDS = 5
CASES = {"merge": "1000 reports added up", "read": "1000 reports read from JSON"}


def measure(build, rounds):
    rounds = rounds or ROUNDS
    times = {case: [] for case in CASES}
    for line in measuring.run([build.merge_cost, rounds]).stdout.splitlines():
        case, milliseconds = line.split()
        times[case].append(float(milliseconds))
    table = measuring.Table("merge: 1000 reports of 200 keys", "case", "ms", "least")
    for case, name in CASES.items():
        goal = measuring.below(1000, " ms") if case == "merge" else None
        value = measuring.median(times[case])
        table.row(name, measuring.spread(times[case], "{:.0f}"), f"{min(times[case]):.0f}", goal=goal, value=value)
    table.note(f"Medians of {rounds} rounds (quartiles), in CPU time of the thread.")
    table.print()
