"""What the tests of @disk and @net share: exits by register and phase, virtio's set-up."""

import collections

import machine

MARK = ("post", "POST")
FAILED, WRONG_DATA = 1, 11  # statuses of the guests
ROW = 98  # bytes of a line of the guests' tables

VIRTIO_SET_UP = {
    "MagicValue": 1, "Version": 1, "DeviceID": 1, "Status": 7, "DeviceFeaturesSel": 2, "DeviceFeatures": 2,
    "DriverFeaturesSel": 2, "DriverFeatures": 2,
}
QUEUE_SET_UP = ["QueueSel", "QueueNum", "QueueNumMax", "QueueReady", "QueueDescLow", "QueueDescHigh", "QueueDriverLow",
                "QueueDriverHigh", "QueueDeviceLow", "QueueDeviceHigh"]


def by_register(report, mark=None):
    """{(device, register): exits} of a phase, or of what precedes the first mark; without the stop of the vCPU."""
    phase = 0 if mark is None else machine.phase_of(report, mark)
    counted = collections.Counter()
    for key in machine.keys_of(report, phase):
        if machine.identity(key) != machine.STOPPED:
            counted[key["device"], key["register"]] += key["count"]
    return counted


def transfers(report, mark, register):
    keys = machine.keys_of(report, machine.phase_of(report, mark))
    return sum(key["transfers"] for key in keys if (key["device"], key["register"]) == register)


def operations(report, device):
    (found,) = [entry["counts"] for entry in report["operations"] if entry["device"] == device]
    return {operation["name"]: operation["count"] for operation in found}


class Case(machine.Case):
    def guest(self, guest, options, *arguments, status=0):
        done = self.account(guest, "--cmdline", options, *arguments)
        self.expect(done, status)
        return done

    def expect_phase(self, report, mark, wanted):
        """These exits in the phase, with the mark that ends it."""
        self.assertEqual(by_register(report, mark), collections.Counter(wanted) + collections.Counter([MARK]))

    def expect_virtio_set_up(self, report, device, queues, more):
        wanted = {(device, register): count for register, count in VIRTIO_SET_UP.items()}
        wanted |= {(device, register): queues for register in QUEUE_SET_UP}
        wanted |= {(device, register): count for register, count in more.items()}
        self.assertEqual(by_register(report), collections.Counter(wanted) + collections.Counter([MARK]))
