#!/usr/bin/env python3
"""Hosts without a KVM that can be used, made by fake_kvm.c: one line that names what is missing, and status 4."""

import program

KVM_CAP_USER_MEMORY, KVM_CAP_IRQCHIP, KVM_CAP_IMMEDIATE_EXIT = 3, 0, 136
ENOENT, EACCES, ENXIO, EBUSY = 2, 13, 6, 16


class Host(program.Case):
    def refuse(self, *parts, **settings):
        done = self.run_program("run", "@hello", env=program.faked(**settings))
        self.expect_refusal(done, 4, *parts)

    def test_no_dev_kvm(self):
        self.refuse("/dev/kvm", "No such file or directory", "kvm_intel or kvm_amd", FAKE_KVM_OPEN=ENOENT)
        self.refuse("/dev/kvm", "kvm_intel or kvm_amd", FAKE_KVM_OPEN=ENXIO)

    def test_no_permission_on_dev_kvm(self):
        self.refuse("/dev/kvm", "Permission denied", "group", FAKE_KVM_OPEN=EACCES)

    def test_another_error(self):
        self.refuse("/dev/kvm", "Device or resource busy", FAKE_KVM_OPEN=EBUSY)

    def test_a_dev_kvm_that_is_something_else(self):
        self.refuse("/dev/kvm", "not a KVM device", FAKE_KVM_DEVICE="/dev/null")

    def test_an_older_or_newer_api(self):
        for version in (10, 11, 13):
            with self.subTest(version=version):
                self.refuse(
                    f"version {version}", "version 12", FAKE_KVM_DEVICE="/dev/null", FAKE_KVM_API_VERSION=version
                )

    def test_every_missing_capability_is_named_at_once(self):
        self.refuse(
            *["KVM_CAP_USER_MEMORY", "KVM_CAP_IMMEDIATE_EXIT", "newer kernel"],
            FAKE_KVM_DEVICE="/dev/null",
            FAKE_KVM_API_VERSION=12,
            FAKE_KVM_LACKS=f"{KVM_CAP_USER_MEMORY},{KVM_CAP_IMMEDIATE_EXIT}",
        )

    def test_a_missing_capability_is_named_alone(self):
        settings = {"FAKE_KVM_DEVICE": "/dev/null", "FAKE_KVM_API_VERSION": 12, "FAKE_KVM_LACKS": KVM_CAP_IRQCHIP}
        done = self.run_program("run", "@hello", env=program.faked(**settings))
        self.expect_refusal(done, 4, "KVM_CAP_IRQCHIP")
        self.assertNotIn("KVM_CAP_USER_MEMORY", done.err)

    def test_a_vm_that_cannot_be_made(self):
        self.refuse("KVM_CREATE_VM", FAKE_KVM_DEVICE="/dev/null", FAKE_KVM_API_VERSION=12)

    def test_kvmbench_host_shows_the_facts_all_the_same(self):
        done = self.run_program("host", env=program.faked(FAKE_KVM_OPEN=ENOENT))
        self.expect(done, 4)
        self.assertRegex(done.out, rb"(?m)^  kernel +\S")
        self.assertRegex(done.out, rb"(?m)^  nothing: cannot open /dev/kvm: No such file or directory")

    def test_kvmbench_host_shows_what_is_missing(self):
        settings = {"FAKE_KVM_DEVICE": "/dev/null", "FAKE_KVM_API_VERSION": 12, "FAKE_KVM_LACKS": 121}
        done = self.run_program("host", env=program.faked(**settings))
        self.expect(done, 0)
        self.assertRegex(done.out, rb"(?m)^  KVM_CAP_SPLIT_IRQCHIP +no ")
        self.assertRegex(done.out, rb"(?m)^  KVM_CAP_PIT2 +yes ")


if __name__ == "__main__":
    program.main()
