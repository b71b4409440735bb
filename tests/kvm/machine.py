"""What the tests on the host's own /dev/kvm share: accounts that must add up, keys, raw binaries."""

import fcntl
import itertools
import json
import os

import program

# linux/kvm.h
KVM_GET_API_VERSION = 0xAE00
KVM_CREATE_VM = 0xAE01
KVM_EXIT_IO = 2
KVM_EXIT_HLT = 5
KVM_EXIT_MMIO = 6
KVM_EXIT_SHUTDOWN = 8
KVM_EXIT_INTR = 10

# Keys: reason, address, direction, width.
SERIAL = (KVM_EXIT_IO, 0x3F8, "write", 1)
PORT = (KVM_EXIT_IO, 0x2F00, "write", 1)
STRING = (KVM_EXIT_IO, 0x2F01, "write", 1)
MMIO_READ = (KVM_EXIT_MMIO, 0xDF000000, "read", 4)
MMIO_WRITE = (KVM_EXIT_MMIO, 0xDF000004, "write", 4)
MARK = (KVM_EXIT_IO, 0x80, "write", 1)
END = (KVM_EXIT_IO, 0xF4, "write", 4)
STOPPED = (KVM_EXIT_INTR, 0, "none", 0)

EXIT_0 = bytes.fromhex("b000 e6f4")  # mov al,0; out 0xf4,al


def identity(key):
    return key["reason"], key["address"], key["direction"], key["width"]


def keys_of(report, phase=None):
    """All vCPUs' keys, of one phase (an index) or of all."""
    keys = [key for vcpu in report["vcpus"] for key in vcpu["keys"]]
    return keys if phase is None else [key for key in keys if key["phase"] == phase]


def counts(keys, figure="count"):
    """What is counted under each identity, phases and vCPUs together."""
    sums = {}
    for key in keys:
        sums[identity(key)] = sums.get(identity(key), 0) + key[figure]
    return sums


def phase_of(report, mark):
    """The index of the phase that a byte written to port 0x80 began."""
    (index,) = [i for i, phase in enumerate(report["phases"]) if (phase["kind"], phase["value"]) == ("post_code", mark)]
    return index


class Case(program.Case):
    """A test that runs guests and checks each account that they leave."""

    def account(self, *arguments, **options):
        """A run with a JSON report; gives Done with the report, which adds up."""
        path = self.path / "account.json"
        done = self.run_program("run", *arguments, "--report", "json", "--report-file", path, **options)
        done.report = self.read_report(path, done)
        return done

    def read_report(self, path, done=None):
        self.assertTrue(path.exists(), done)
        report = json.loads(path.read_text())
        self.check_sums(report)
        return report

    def raw(self, code, *arguments, mode=64, **options):
        """An account of a raw binary, the code given as bytes or in hexadecimal."""
        image = self.file("raw.bin", bytes.fromhex(code) if isinstance(code, str) else code)
        return self.account(image, "--mode", mode, *arguments, **options)

    def check_sums(self, report):
        self.expect_valid(report, "report")
        for vcpu in report["vcpus"]:
            self.assertEqual(sum(key["count"] for key in vcpu["keys"]), vcpu["exits"])
        self.assertEqual(sum(vcpu["exits"] for vcpu in report["vcpus"]), report["exits"])

        keys = keys_of(report)
        identities = [(vcpu["vcpu"], key["phase"], identity(key)) for vcpu in report["vcpus"] for key in vcpu["keys"]]
        self.assertEqual(len(identities), len(set(identities)))
        for key in keys:
            for figure in ("service", "run"):
                self.assertEqual(key[figure]["count"], key["count"])
                self.assertEqual(sum(count for _, count in key[figure]["histogram"]), key["count"])
        self.check_parts(report["totals"], keys)
        self.assertEqual(report["totals"]["count"], report["exits"])
        for reason in report["by_reason"]:
            self.check_parts(reason, [key for key in keys if key["reason"] == reason["reason"]])
        self.assertEqual({reason["reason"] for reason in report["by_reason"]}, {key["reason"] for key in keys})
        for index, phase in enumerate(report["phases"]):
            of_phase = keys_of(report, index)
            self.assertEqual(phase["exits"], sum(key["count"] for key in of_phase))
            for figure in ("service", "run"):
                self.assertEqual(phase[figure], sum(key[figure]["sum"] for key in of_phase))
        self.assertLessEqual({key["phase"] for key in keys}, set(range(len(report["phases"]))))

    def check_parts(self, whole, keys):
        for figure in ("count", "transfers"):
            self.assertEqual(whole[figure], sum(key[figure] for key in keys))
        for figure in ("service", "run"):
            self.assertEqual(whole[figure]["sum"], sum(key[figure]["sum"] for key in keys))
            self.assertEqual(whole[figure]["max"], max((key[figure]["max"] for key in keys), default=0))

    def expect_counts(self, keys, wanted):
        """These identities, this often, and no other but the return by which a vCPU is stopped."""
        counted = counts(keys)
        stopped = counted.pop(STOPPED, 0)
        self.assertEqual(counted, wanted)
        self.assertLessEqual(stopped, len(keys))


def read_intervals(path):
    """The whole lines of a file that --interval writes; a line that a SIGKILL cut off is left out."""
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in itertools.takewhile(lambda line: line.endswith("\n"), text.splitlines(True))]


def interval_counts(lines):
    sums = {}
    for key in itertools.chain.from_iterable(line["keys"] for line in lines):
        at = key["phase"], identity(key)
        sums[at] = sums.get(at, 0) + key["count"]
    return sums


def report_counts(report):
    sums = {}
    for key in keys_of(report):
        at = key["phase"], identity(key)
        sums[at] = sums.get(at, 0) + key["count"]
    return sums


def why_not():
    """Why no guest can be run here, or None."""
    try:
        kvm = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        return f"cannot open /dev/kvm: {error.strerror}"
    try:
        version = fcntl.ioctl(kvm, KVM_GET_API_VERSION, 0)
        if version != 12:
            return f"/dev/kvm speaks API version {version}"
        os.close(fcntl.ioctl(kvm, KVM_CREATE_VM, 0))
    except OSError as error:
        return f"/dev/kvm makes no virtual machine: {error.strerror}"
    finally:
        os.close(kvm)
    return None


def main():
    program.main(why_not())
