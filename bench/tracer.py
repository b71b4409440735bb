"""What tracing adds to an exit, in the lab: kvmbench's tracer, perf kvm stat record, and perf's ring buffers."""

import pathlib
import re
import shlex
import shutil
import subprocess

import measuring

ROUNDS = 5
BATCH, BATCHES = 64, 60
HERE = pathlib.Path(__file__).resolve().parent
LAB = HERE.parent / "scripts" / "lab"
PLAIN, TRACER, STAT, RING = "untraced", "run --trace", "perf kvm stat record", "perf record, two events"
ARMS = [PLAIN, TRACER, STAT, RING]
TIME_LIMIT = 900


def script(build, rounds):
    """One boot of the lab: all arms once a round, each round beginning with another one."""
    run = [build.kvmbench, "run", "--allow-unstable-tsc", "--serial", "stdio", "--report", "none", build.exits,
           "--cmdline", f"kind=port batch={BATCH} batches={BATCHES}"]
    plain = shlex.join(map(str, run))
    traced = shlex.join(map(str, [*run, "--trace"]))
    events = "-e kvm:kvm_exit -e kvm:kvm_entry"
    commands = {
        PLAIN: plain,
        TRACER: traced,
        STAT: f"perf kvm stat record -o /tmp/stat.data -- {plain}",
        RING: f"perf record {events} -o /tmp/ring.data -- {plain}",
    }
    lines = []
    for number in range(rounds):
        first = number % len(ARMS)
        for arm in ARMS[first:] + ARMS[:first]:
            lines.append(f"echo 'arm {arm}'; {commands[arm]} </dev/null 2>&1 || echo failed; rm -f /tmp/*.data")
    return "\n".join(lines)


def cycles_by_arm(text):
    found = {arm: [] for arm in ARMS}
    for part in text.split("arm ")[1:]:
        arm, _, rest = part.partition("\n")
        batches = [int(cycles) for cycles in re.findall(r"cycles (\d+)", rest)]
        if len(batches) == BATCHES:
            found[arm].append(measuring.median(batches) / BATCH)
    return found


def measure(build, rounds):
    perf = shutil.which("perf")
    if not perf:
        raise measuring.Unavailable("no perf here (apt-get install linux-perf)")
    command = [LAB, "--timeout", TIME_LIMIT, "--cpus", 1, "--add", build.kvmbench, "--add", build.exits, "--add", perf,
               "--", "sh", "-c", script(build, rounds or ROUNDS)]
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    results = cycles_by_arm(done.stdout.replace("\r", ""))
    if not results[PLAIN]:
        raise measuring.Unavailable(f"the lab gave nothing: {done.stderr.strip()[-200:]}")
    table = measuring.Table(
        "tracer: port writes in the lab (ratios mean something there, times do not), by the guest's TSC",
        "arm", "cycles an exit", "added to untraced", "added, of perf kvm stat's",
    )
    plain = measuring.median(results[PLAIN])
    stat = measuring.median(results[STAT]) - plain if results[STAT] else None
    for arm in ARMS:
        if not results[arm]:
            table.unavailable(arm, "it failed")
            continue
        added = measuring.median(results[arm]) - plain
        of_perf = added / stat if stat else None
        goal = measuring.at_most(0.5) if arm == TRACER and of_perf is not None else None
        table.row(arm, measuring.spread(results[arm], "{:,.0f}"), f"{added:,.0f}",
                  "-" if of_perf is None else f"{of_perf:.2f}", goal=goal, value=of_perf)
    table.note("The tracer's memory is fixed when it is attached; perf writes every event to a file.")
    table.print()
