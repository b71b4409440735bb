"""What tracing adds to an exit, in the lab: kvmbench's tracer, perf kvm stat record, and perf's ring buffers."""

import pathlib
import re
import shlex
import shutil
import statistics
import subprocess

import measuring

BATCH, BATCHES, MANY_BATCHES = 64, 60, 600
HERE = pathlib.Path(__file__).resolve().parent
LAB = HERE.parent / "scripts" / "lab"
PLAIN, TRACER, STAT, RING = "untraced", "run --trace", "perf kvm stat record", "perf record, two events"
ARMS = [PLAIN, TRACER, STAT, RING]
TIME_LIMIT = 900
SVM, VMX = "svm", "vmx"
# The VMX lab's clock counts instructions (scripts/lab, "gaps"), so that one round tells as much as many.
ROUNDS = {SVM: 5, VMX: 1}
WHAT = {
    SVM: "by the guest's TSC, which runs with the host's clock: what else the host does is in it",
    VMX: "by the guest's TSC, which counts the instructions of the whole machine",
}
TSC = re.compile(r"TSC (\d+) kHz")

# The kernel's memory of the tracer's maps, as it was seen last, and what perf has written.
MEMORY = r"""
locked() { cat /proc/"$1"/fdinfo/* 2>/dev/null | awk '/^memlock:/ { sum += $2 } END { print sum + 0 }'; }
traced_memory() {
  "$@" </dev/null >/dev/null 2>&1 &
  pid=$!
  while [ "$(ls /proc/$pid/fd 2>/dev/null)" ]; do # one that has ended, but has not been waited for, has none
    now=$(locked $pid)
    if [ "$now" -gt 0 ]; then seen=$now; fi
    sleep 0.1
  done
  wait
  echo "memory tracer $seen"
}
perf_memory() { "$@" </dev/null >/dev/null 2>&1; echo "memory perf $(wc -c </tmp/memory.data)"; rm /tmp/memory.data; }
"""


def run(build, batches):
    return [build.kvmbench, "run", "--allow-unstable-tsc", "--serial", "stdio", "--report", "none", build.exits,
            "--cmdline", f"kind=port batch={BATCH} batches={batches}"]


def traced(build, batches):
    return [*run(build, batches), "--trace"]


def stat(build, batches, file):
    return ["perf", "kvm", "stat", "record", "-o", file, "--", *run(build, batches)]


def join(argv):
    return shlex.join(map(str, argv))


def script(build, rounds, memory):
    """One boot of the lab: all arms once a round, each round beginning with another one."""
    events = ["-e", "kvm:kvm_exit", "-e", "kvm:kvm_entry"]
    commands = {
        PLAIN: run(build, BATCHES),
        TRACER: traced(build, BATCHES),
        STAT: stat(build, BATCHES, "/tmp/stat.data"),
        RING: ["perf", "record", *events, "-o", "/tmp/ring.data", "--", *run(build, BATCHES)],
    }
    lines = ["dmesg | sed -n 's/.*tsc: .* \\([0-9]*\\)\\.\\([0-9]*\\) MHz .*/TSC \\1\\2 kHz/p' | tail -n 1"]
    for number in range(rounds):
        first = number % len(ARMS)
        for arm in ARMS[first:] + ARMS[:first]:
            lines.append(f"echo 'arm {arm}'; {join(commands[arm])} </dev/null 2>&1 || echo failed; rm -f /tmp/*.data")
    lines.append("echo 'arm end'")
    if memory:
        lines.append(MEMORY)
        for batches in (BATCHES, MANY_BATCHES):
            lines.append(f"traced_memory {join(traced(build, batches))}")
            lines.append(f"perf_memory {join(stat(build, batches, '/tmp/memory.data'))}")
    return "\n".join(lines)


def cycles_by_arm(text):
    """A round's figure is the first decile of its batches: what else runs only slows."""
    found = {arm: [] for arm in ARMS}
    for part in text.split("arm ")[1:]:
        arm, _, rest = part.partition("\n")
        batches = [int(cycles) for cycles in re.findall(r"cycles (\d+)", rest)]
        if len(batches) == BATCHES:
            found[arm].append(statistics.quantiles(batches, n=10)[0] / BATCH)
    return found


def in_lab(build, isa, rounds, perf):
    command = [LAB, "--isa", isa, "--timeout", TIME_LIMIT, "--cpus", 1, "--add", build.kvmbench, "--add", build.exits,
               "--add", perf, "--", "sh", "-c", script(build, rounds, memory=isa == SVM)]
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    text = done.stdout.replace("\r", "")
    if not cycles_by_arm(text)[PLAIN]:
        raise measuring.Unavailable(f"the lab gave nothing: {done.stderr.strip()[-200:]}")
    return text


def print_cost(isa, text):
    results = cycles_by_arm(text)
    table = measuring.Table(
        f"tracer, --isa {isa}: port writes in the lab, {WHAT[isa]}",
        "arm", "exits/s", "cycles an exit", "added to untraced", "added, of perf kvm stat's",
    )
    frequency = TSC.search(text)
    plain = measuring.median(results[PLAIN])
    of_stat = measuring.median(results[STAT]) - plain if results[STAT] else None
    for arm in ARMS:
        if not results[arm]:
            table.unavailable(arm, "it failed")
            continue
        cycles = measuring.median(results[arm])
        # Nothing can cost less than nothing: then what else the host did was more than what is to be measured.
        told_apart = of_stat is not None and of_stat > 0 and (arm == PLAIN or cycles > plain)
        ratio = (cycles - plain) / of_stat if told_apart else None
        goal = measuring.at_most(0.5) if arm == TRACER and ratio is not None else None
        table.row(arm, f"{int(frequency[1]) * 1000 / cycles:,.0f}" if frequency else "-",
                  measuring.spread(results[arm], "{:,.0f}"), f"{cycles - plain:,.0f}",
                  "not told apart" if ratio is None else f"{ratio:.2f}", goal=goal, value=ratio)
    table.note(f"Medians over the rounds (quartiles), each the first decile of {BATCHES} batches of {BATCH}.")
    table.print()


def print_memory(text):
    sizes = {who: [int(size) for size in re.findall(rf"memory {who} (\d+)", text)] for who in ("tracer", "perf")}
    exits = [f"{batches * BATCH:,} port writes" for batches in (BATCHES, MANY_BATCHES)]
    table = measuring.Table("tracer: bytes that tracing takes", "arm", *exits, "growth")
    same = measuring.Goal("none", lambda growth: growth == 0)
    for arm, who in ((TRACER, "tracer"), (STAT, "perf")):
        if len(sizes[who]) != 2:
            table.unavailable(arm, "it failed")
            continue
        few, many = sizes[who]
        table.row(arm, f"{few:,}", f"{many:,}", f"{many - few:,}", goal=same if who == "tracer" else None,
                  value=many - few)
    table.note("The tracer's: the kernel's memory of its maps and programs (memlock in /proc/PID/fdinfo); perf's: its file.")
    table.print()


def measure(build, rounds):
    perf = shutil.which("perf")
    if not perf:
        raise measuring.Unavailable("no perf here (apt-get install linux-perf)")
    for isa in (SVM, VMX):
        try:
            text = in_lab(build, isa, rounds or ROUNDS[isa], perf)
        except measuring.Unavailable as error:
            print(f"\ntracer, --isa {isa}: cannot be measured here: {error}")
            continue
        print_cost(isa, text)
        if isa == SVM:
            print_memory(text)
