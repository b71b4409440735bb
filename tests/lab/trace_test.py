#!/usr/bin/env python3
"""run --trace and kvmbench trace in the lab: exits by the hardware's reasons, against KVM's own count; of kvmbench's own
VMs, and (SvmNested) of two that QEMU runs.

trace_test.py SvmNested | SvmShadow | VmxNested | VmxShadow
"""

import json
import pathlib
import re
import shutil

import lab
import machine

FEW, MANY = 200, 500
# The kinds of one run of @mix: no two have a reason in common, with either vendor.
GROUPS = {"first": ["port", "cpuid", "rdmsr", "mmio-read"], "second": ["wrmsr", "mmio-write"]}
SETPRIV, BPFTOOL = "/usr/bin/setpriv", "/usr/sbin/bpftool"
KVM_EXIT_IO = 2
# scripts/lab has one CPU unless told otherwise, which the tracer's tests keep to.

TRACED = "\n".join(
    f"bench {group}-{n} @mix --trace --cmdline 'kinds={','.join(kinds)} n={n}'"
    for group, kinds in GROUPS.items()
    for n in (FEW, MANY)
)
QEMU, FIRMWARE = "qemu-system-x86_64", pathlib.Path("/usr/share/qemu")
FIRMWARE_FILES = ("bios-microvm.bin", "linuxboot_dma.bin", "pvh.bin", "kvmvapic.bin")
GUESTS = {"first": f"kinds=port n={FEW}", "second": f"kinds=cpuid n={MANY}"}

# They stand still while the traces begin (-S) and end (stop), so that both counts are of one time: the VM's whole life,
# but for a guest that has nothing more to do.
FOREIGN = """
qemu() { # NAME COMMAND-LINE, its monitor's commands on stdin
  qemu-system-x86_64 -M microvm -accel kvm -cpu host,-arch-capabilities -m 64 -nodefaults -no-user-config -display none \\
    -no-reboot -no-shutdown -S -name "guest=$1" -monitor stdio -kernel exits.elf -append "$2" >"results/$1.monitor"
}
mkfifo monitor.first monitor.second
qemu first 'FIRST' <monitor.first &
qemu second 'SECOND' <monitor.second &
exec 4>monitor.first 5>monitor.second
until [ "$(ls -d /sys/kernel/debug/kvm/*-* | wc -l)" = 2 ]; do sleep 0.2; done
"$KVMBENCH" trace --list >results/qemu-list.out
"$KVMBENCH" trace --vm first --report json,text --report-file results/qemu-first.json >results/qemu-first.out &
named=$!
"$KVMBENCH" trace --all -i 1s --report json --report-file results/qemu-all.json >results/qemu-all.out &
all=$!
sleep 3
echo cont >&4
echo cont >&5
sleep 3
echo stop >&4
echo stop >&5
sleep 1
for vm in /sys/kernel/debug/kvm/*-*; do
  pid=${vm##*/}
  pid=${pid%-*}
  cp "$vm/exits" "results/qemu-exits.$pid"
done
kill -INT $named $all
wait $named $all || true
echo quit >&4
echo quit >&5
exec 4>&- 5>&-
wait
""".replace("FIRST", GUESTS["first"]).replace("SECOND", GUESTS["second"])

SCRIPT = f"""
{TRACED}

# Two at once.
bench one @mix --trace --cmdline 'kinds=port n={FEW}' &
bench two @mix --trace --cmdline 'kinds=cpuid n={MANY}' &
wait

# Another program's VM in mid-run. It stands still while the trace begins and ends, so that both counts are of one time.
bench foreign @mix --cmdline 'kinds=port budget_ms=3600000' &
until [ -s results/foreign.pid ]; do sleep 0.2; done
sleep 3
pid=$(cat results/foreign.pid)
"$KVMBENCH" trace --list >results/list.out
kill -STOP "$pid"
sleep 1
"$KVMBENCH" trace -p "$pid" -i 1s --report json,text --report-file results/trace.json >results/trace.out \\
  2>results/trace.err &
tracer=$!
sleep 2
kill -CONT "$pid"
sleep 3
kill -STOP "$pid"
sleep 1
kill -INT "$tracer"
wait "$tracer" || true
kill -CONT "$pid"

# It ends while it is traced.
"$KVMBENCH" trace -p "$pid" --report json --report-file results/ends.json 2>results/ends.err &
tracer=$!
sleep 2
kill -INT "$pid"
wait "$tracer"
wait

# What is loaded dies with the process.
bench killed @mix --trace --cmdline 'kinds=port budget_ms=3600000' &
until [ -s results/killed.pid ]; do sleep 0.2; done
sleep 3
{BPFTOOL} prog show >results/during.out
kill -KILL "$(cat results/killed.pid)"
wait
sleep 1
{BPFTOOL} prog show >results/after.out

# Without the privileges.
without() {{
  {SETPRIV} --bounding-set="$2" --inh-caps="$2" "$KVMBENCH" run --allow-unstable-tsc @mix --trace --cmdline kinds=port \\
    --report json --report-file "results/$1.json" >"results/$1.out" 2>"results/$1.err" || true
}}
without no-bpf -bpf,-sys_admin
without no-perfmon -perfmon,-sys_admin
umount /sys/kernel/tracing /sys/kernel/debug/tracing /sys/kernel/debug || true
without no-tracefs -sys_admin
"""


class Trace:
    FOREIGN = ""  # what is run before the rest
    ADDED = ()

    @classmethod
    def setUpClass(cls):
        with lab.directory() as directory:
            cls.prepare(directory)
            added = [word for file in (SETPRIV, BPFTOOL, *cls.ADDED) for word in ("--add", file)]
            cls.results = lab.run(
                directory, cls.FOREIGN + SCRIPT, "--isa", cls.ISA, "--paging", cls.PAGING, "--timeout", "600",
                "--cpus", "1", *added,
            )

    @classmethod
    def prepare(cls, directory):
        pass

    def hardware(self, name):
        return self.results.report(name)["hardware"]

    def counts(self, name):
        return {each["reason"]: each["count"] for each in self.hardware(name)["by_reason"]}

    def details(self, name, kind):
        found = {}
        for vcpu in self.hardware(name)["vcpus"]:
            for each in vcpu["details"]:
                if each["kind"] == kind:
                    found[each["value"]] = found.get(each["value"], 0) + each["count"]
        return found

    def traced_runs(self):
        return [f"{group}-{n}" for group in GROUPS for n in (FEW, MANY)] + ["one", "two"]

    def test_every_exit_that_kvm_counted_was_traced(self):
        for name in self.traced_runs():
            with self.subTest(run=name):
                hardware = self.hardware(name)
                self.assertEqual(hardware["unexplained"], 0, self.results.everything(name))
                self.assertEqual(hardware["exits"], self.results.report(name)["kernel_exits"])
                self.assertEqual(sum(self.counts(name).values()), hardware["exits"])
                self.assertEqual(hardware["to_userspace"] + hardware["kernel_handled"], hardware["exits"])
                self.assertEqual(hardware["events_without_thread"], 0)

    def test_only_the_last_exit_has_no_time(self):
        for name in self.traced_runs():
            timed = sum(each["out_of_guest"]["count"] for each in self.hardware(name)["by_reason"])
            self.assertEqual(timed, self.hardware(name)["exits"] - 1)

    def test_the_vendor_is_that_of_the_events(self):
        self.assertEqual({vcpu["vendor"] for vcpu in self.hardware(f"first-{FEW}")["vcpus"]}, {self.ISA})

    def test_every_port_access_is_one_exit_of_the_hardware(self):
        for n in (FEW, MANY):
            report = self.results.report(f"first-{n}")
            returns = sum(each["count"] for each in report["by_reason"] if each["reason"] == KVM_EXIT_IO)
            self.assertEqual(self.counts(f"first-{n}")[self.IO], returns + self.PORTS_OF_KVM)
            self.assertEqual(self.details(f"first-{n}", "port")[0x2F00], n)

    def test_each_further_instruction_is_one_further_exit_of_its_reason(self):
        for group, kinds in GROUPS.items():
            few, many = (self.counts(f"{group}-{n}") for n in (FEW, MANY))
            for kind in kinds:
                with self.subTest(kind=kind):
                    reason = self.REASONS[kind]
                    self.assertEqual(many[reason] - few.get(reason, 0), MANY - FEW)

    def test_details_name_leaves_msrs_and_addresses(self):
        self.assertGreaterEqual(self.details(f"first-{MANY}", "cpuid")[0], MANY)
        self.assertGreaterEqual(max(self.details(f"first-{MANY}", "msr").values()), MANY)
        self.assertEqual(self.details(f"first-{MANY}", "mmio")[0xDF000000], MANY)
        self.assertEqual(self.details(f"second-{MANY}", "mmio")[0xDF000004], MANY)

    def test_two_vms_at_once_do_not_mix(self):
        self.assertEqual(self.details("one", "port")[0x2F00], FEW)
        self.assertNotIn(0x2F00, self.details("two", "port"))
        self.assertGreaterEqual(self.details("two", "cpuid")[0], MANY)
        self.assertLess(self.details("one", "cpuid").get(0, 0), MANY)

    def test_another_programs_vm_is_listed_and_traced_in_mid_run(self):
        self.assertIn(self.results.text("foreign.pid").strip(), self.results.text("list.out"))
        hardware = self.hardware("trace")
        self.assertGreater(hardware["exits"], 0)
        self.assertEqual(hardware["unexplained"], 0, self.results.text("trace.out"))
        self.assertGreater(self.details("trace", "port")[0x2F00], 0)
        self.assertGreater(sum(each["count"] for each in hardware["vcpus"][0]["returns"]), 0)
        self.assertRegex(self.results.text("trace.out"), r"reason +count +/s")

    def test_a_vm_that_ends_ends_its_trace(self):
        self.assertIn("has ended", self.results.text("ends.err"))
        self.assertEqual(self.results.report("ends")["ending"], "traced until the VM ended")

    def test_nothing_stays_loaded_after_sigkill(self):
        self.assertIn("on_exit", self.results.text("during.out"))
        self.assertNotIn("on_exit", self.results.text("after.out"))

    def test_without_a_privilege_the_guest_runs_and_a_line_says_which_is_missing(self):
        for name, missing in (("no-bpf", "CAP_BPF"), ("no-perfmon", "CAP_PERFMON"), ("no-tracefs", "CAP_SYS_ADMIN")):
            with self.subTest(run=name):
                self.assertIn(missing, self.results.text(f"{name}.err"))
                report = self.results.report(name)
                self.assertNotIn("hardware", report)
                self.assertGreater(report["kernel_exits"], 0)


class Svm(Trace):
    ISA = "svm"
    IO = 0x7B
    PORTS_OF_KVM = 0
    MSR = {"rdmsr": 0x7C, "wrmsr": 0x7C}


class SvmNested(Svm, machine.Case):
    PAGING = "nested"
    REASONS = {"port": 0x7B, "cpuid": 0x72, **Svm.MSR, "mmio-read": 0x400, "mmio-write": 0x400}
    FOREIGN = FOREIGN
    ADDED = [shutil.which(QEMU) or QEMU, *(FIRMWARE / name for name in FIRMWARE_FILES)]

    @classmethod
    def prepare(cls, directory):
        shutil.copy(pathlib.Path(lab.KVMBENCH).parent.parent / "guests" / "exits.elf", directory)

    def of_qemu(self):
        """The files of the two, as --all has left them, and the process, by the name of the guest."""
        listed = dict(re.findall(r"^ *(\d+) +(first|second) +qemu", self.results.text("qemu-list.out"), re.MULTILINE))
        self.assertEqual(sorted(listed.values()), ["first", "second"])
        return {name: process for process, name in listed.items()}

    def qemu_report(self, name):
        return json.loads(self.results.text(f"qemu-all.json.{self.of_qemu()[name]}"))

    def test_every_exit_of_a_vm_of_qemus_is_traced_under_its_reason(self):
        for name, process in self.of_qemu().items():
            with self.subTest(guest=name):
                hardware = self.qemu_report(name)["hardware"]
                self.assertEqual(hardware["exits"], int(self.results.text(f"qemu-exits.{process}")))
                self.assertEqual((hardware["kernel_exits"], hardware["unexplained"]), (hardware["exits"], 0))
                self.assertEqual(sum(each["count"] for each in hardware["by_reason"]), hardware["exits"])

    def test_a_vm_that_is_named_is_traced_as_all_are(self):
        hardware = self.hardware("qemu-first")
        self.assertEqual(hardware["unexplained"], 0)
        counts = [{each["reason"]: each["count"] for each in part["by_reason"]}
                  for part in (hardware, self.qemu_report("first")["hardware"])]
        self.assertEqual(*counts)

    def test_two_vms_of_qemus_at_once_do_not_mix(self):
        ports, leaves = {}, {}
        for name in GUESTS:
            hardware = self.qemu_report(name)["hardware"]
            leaves[name] = {each["reason"]: each["count"] for each in hardware["by_reason"]}[self.REASONS["cpuid"]]
            details = [each for vcpu in hardware["vcpus"] for each in vcpu["details"]]
            ports[name] = sum(each["count"] for each in details if (each["kind"], each["value"]) == ("port", 0x2F00))
        self.assertEqual(ports, {"first": FEW, "second": 0})
        self.assertEqual(leaves["second"] - leaves["first"], MANY)  # the firmware of both asks the same

    def test_each_reason_has_its_times_out_of_the_guest(self):
        text = self.results.text("qemu-first.out")
        for column in ("count", "out of guest", "min", "avg", "p50", "p99", "max"):
            self.assertRegex(text, rf"(?m)^reason .* {column}\b")
        self.assertRegex(text, r"(?m)^IOIO +[\d,]+ ")
        for name in GUESTS:
            hardware = self.qemu_report(name)["hardware"]
            for each in hardware["by_reason"]:
                times = each["out_of_guest"]
                figures = [times[figure] for figure in ("min", "p50", "p99", "max", "sum")]
                self.assertEqual(figures, sorted(figures))
            timed = sum(each["out_of_guest"]["count"] for each in hardware["by_reason"])
            self.assertEqual(timed, hardware["exits"] - 1)  # the last one has not gone back


class SvmShadow(Svm, machine.Case):
    PAGING = "shadow"
    REASONS = {"port": 0x7B, "cpuid": 0x72, **Svm.MSR, "mmio-read": 0x4E, "mmio-write": 0x4E}


class Vmx(Trace):
    ISA = "vmx"
    IO = 30
    PORTS_OF_KVM = 0
    MSR = {"rdmsr": 31, "wrmsr": 32}


class VmxNested(Vmx, machine.Case):
    PAGING = "nested"
    REASONS = {"port": 30, "cpuid": 10, **Vmx.MSR, "mmio-read": 49, "mmio-write": 49}


class VmxShadow(Vmx, machine.Case):
    PAGING = "shadow"
    REASONS = {"port": 30, "cpuid": 10, **Vmx.MSR, "mmio-read": 0, "mmio-write": 0}


if __name__ == "__main__":
    for tool in (SETPRIV, BPFTOOL, *SvmNested.ADDED):
        if not pathlib.Path(tool).exists():
            print(f"skipped: no {tool}")
            raise SystemExit(lab.SKIPPED)
    lab.main()
