"""What kvmbench-guest counted in one boot of a Linux guest, beside the host's report of it."""

import base64
import json
import re

import lab
import machine

# linux/kvm.h
KVM_EXIT_IO = 2
FURTHER = 0xFFFF  # stands for all reasons from 64 on

FIRST_PORT, LAST_PORT = 0xE00, 0xE1F

# What kvmbench-guest asks of a vCPU: of all exits (a leaf, a reason, and four words by one instruction), then for the
# count of each of 65 userspace reasons (the leaf once), then for the cycles of those that have a count.
TOTAL_EXITS = 3
REASONS = 65
# Its own exits before the question for KVM_EXIT_IO, the third reason: all exits, the leaf, two reasons.
OWN_EXITS = TOTAL_EXITS + 1 + 2 * 2


def exits_of_reading(vcpu):
    return TOTAL_EXITS + 1 + 2 * REASONS + 1 + 2 * len(vcpu["reasons"])


def count_of(reading, reason=KVM_EXIT_IO, figure="count"):
    """Of a userspace reason, in a reading or in a vCPU's part of it."""
    return sum(each[figure] for each in reading["reasons"] if (each["kind"], each["number"]) == ("userspace", reason))


def others_count(vcpu):
    """Exits for KVM_EXIT_IO before the reading began to ask this vCPU."""
    return count_of(vcpu) - vcpu["own_exits"]


def number_of(key):
    """As a query has it."""
    return key["reason"] if key["reason"] < 64 else FURTHER


def is_ours(key):
    return key["reason"] == KVM_EXIT_IO and FIRST_PORT <= key["address"] <= LAST_PORT


def exits_of_name(name):
    """A 0 first, then the name and the 0 that ends it, by fours."""
    return 1 + (len(name) + 1 + 3) // 4


class Boot:
    """One boot of a Linux guest: the host's report, and what the guest's runs of kvmbench-guest left."""

    def __init__(self, results, name):
        self.report = results.report(name)
        archive = re.search(r"\nresults:\n(.*)\nend of results\n", results.text(f"{name}.out"), re.DOTALL)
        self.tool = lab.Results(base64.b64decode(archive[1]))

    def reading(self, name):
        (reading,) = self.readings(name)
        return reading

    def readings(self, name):
        """What the tool printed on stdout, or, where that was its command's, on stderr."""
        lines = (self.tool.text(f"{name}.out") + self.tool.text(f"{name}.err")).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def phase(self, name):
        phases = [(phase["kind"], phase["text"]) for phase in self.report["phases"]]
        return phases.index(("named", name))

    def vcpus(self):
        return range(len(self.report["vcpus"]))

    def keys(self, vcpu, phase):
        return [key for key in self.report["vcpus"][vcpu]["keys"] if key["phase"] == self.phase(phase)]

    def not_ours(self, vcpu, phase):
        """Exits for KVM_EXIT_IO that are not at the interface's ports."""
        keys = self.keys(vcpu, phase)
        return sum(key["count"] for key in keys if key["reason"] == KVM_EXIT_IO and not is_ours(key))

    def characters(self, phase):
        """Written to the serial port. The divisor latch is at the same address, but no speed is set in these phases."""
        keys = [key for vcpu in self.vcpus() for key in self.keys(vcpu, phase)]
        return machine.counts(keys).get(machine.SERIAL, 0)

    def before(self, vcpu, phase, reason=KVM_EXIT_IO, figure=lambda key: key["count"]):
        """The host's sum for a reason, over the phases before that one. None comes twice once the guest names them."""
        keys = [key for key in self.report["vcpus"][vcpu]["keys"] if key["phase"] < self.phase(phase)]
        return sum(figure(key) for key in keys if number_of(key) == reason)


