"""Nanoseconds per call of the recorder for a key that it knows."""

import measuring

ROUNDS = 30
CASES = {
    "one-key": "one key",
    "five-keys": "five keys in turn",
    "tsc-read": "(one TSC read, for comparison)",
}


def measure(build, rounds):
    rounds = rounds or ROUNDS
    times = {case: [] for case in CASES}
    for line in measuring.run([build.recorder_cost, rounds]).stdout.splitlines():
        case, nanoseconds = line.split()
        times[case].append(float(nanoseconds))
    table = measuring.Table("recorder: nanoseconds a call, without the TSC reads", "case", "ns a call", "least")
    for case, name in CASES.items():
        goal = None if case == "tsc-read" else measuring.below(15, " ns")
        value = measuring.median(times[case])
        table.row(name, measuring.spread(times[case], "{:.1f}"), f"{min(times[case]):.1f}", goal=goal, value=value)
    table.note(f"Medians of {rounds} interleaved rounds (quartiles), in CPU time of the thread.")
    table.print()
