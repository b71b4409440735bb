#!/usr/bin/env python3
"""Hosts that refuse: who may not open /dev/kvm, capabilities that an option needs, system calls that fail."""

import os

import machine
import program

# linux/kvm.h, x86: what each request and capability is on the way to a running guest.
REQUESTS = {
    "KVM_CREATE_VM": 0xAE01,
    "KVM_GET_VCPU_MMAP_SIZE": 0xAE04,
    "KVM_CREATE_VCPU": 0xAE41,
    "KVM_SET_TSS_ADDR": 0xAE47,
    "KVM_SET_IDENTITY_MAP_ADDR": 0x4008AE48,
    "KVM_CREATE_IRQCHIP": 0xAE60,
    "KVM_CREATE_PIT2": 0x4040AE77,
    "KVM_SET_USER_MEMORY_REGION": 0x4020AE46,
    "KVM_GET_SUPPORTED_CPUID": 0xC008AE05,
    "KVM_SET_CPUID2": 0x4008AE90,
    "KVM_SET_SREGS": 0x4138AE84,
    "KVM_SET_REGS": 0x4090AE82,
}
KVM_GET_TSC_KHZ = 0xAEA3
KVM_CAP_PIT2, KVM_CAP_SPLIT_IRQCHIP = 33, 121
EPERM, EINVAL = 1, 22


class Access(machine.Case):
    def test_a_user_who_may_not_open_dev_kvm_is_told_what_to_do(self):
        if os.stat("/dev/kvm").st_mode & 0o006:
            self.skipTest("here everybody may open /dev/kvm")
        self.path.chmod(0o755)
        done = self.run_as_nobody("run", "@hello")
        self.expect_refusal(done, 4, "/dev/kvm", "Permission denied", "group")


class Refusal(machine.Case):
    def test_each_system_call_that_fails_is_named(self):
        for name, request in REQUESTS.items():
            with self.subTest(request=name):
                done = self.run_program("run", "@hello", env=program.faked(FAKE_KVM_FAIL=f"{request}:{EPERM}"))
                self.expect_refusal(done, 4, name, "Operation not permitted")

    def test_a_capability_that_only_an_interrupt_chip_needs_is_asked_for_with_it_only(self):
        for capability, name, irqchip, other in (
            (KVM_CAP_PIT2, "KVM_CAP_PIT2", "full", "none"),
            (KVM_CAP_SPLIT_IRQCHIP, "KVM_CAP_SPLIT_IRQCHIP", "split", "full"),
        ):
            with self.subTest(capability=name):
                lacking = program.faked(FAKE_KVM_LACKS=capability)
                done = self.run_program("run", "@hello", "--irqchip", irqchip, env=lacking)
                self.expect_refusal(done, 4, name, f"--irqchip {irqchip}")
                self.expect(self.account("@hello", "--irqchip", other, env=lacking), 0)


class Tsc(machine.Case):
    def cpuinfo(self, *flags):
        text = "processor\t: 0\nmodel name\t: a CPU\nflags\t\t: fpu tsc " + " ".join(flags) + "\n\n"
        return program.faked(FAKE_CPUINFO=self.file("cpuinfo", text.encode()))

    def test_a_host_whose_tsc_may_change_its_rate_is_refused(self):
        for flags, lacking in (([], "constant_tsc"), (["nonstop_tsc"], "constant_tsc"), (["constant_tsc"], "nonstop_tsc")):
            with self.subTest(flags=flags):
                done = self.run_program("run", "@hello", env=self.cpuinfo(*flags))
                self.expect_refusal(done, 4, lacking, "--allow-unstable-tsc")

    def test_it_is_used_with_a_warning_where_that_is_allowed(self):
        done = self.account("@hello", "--allow-unstable-tsc", env=self.cpuinfo())
        self.expect(done, 0)
        self.assertRegex(done.err, r"\Akvmbench: warning: [^\n]*constant_tsc[^\n]*\n\Z")
        facts = {fact["name"]: fact["value"] for fact in done.report["host"]}
        self.assertIn("not constant", facts["tsc"])

    def test_a_stable_one_needs_no_warning(self):
        done = self.account("@hello", "--allow-unstable-tsc", env=self.cpuinfo("constant_tsc", "nonstop_tsc"))
        self.expect(done, 0)
        self.assertEqual(done.err, "")

    def test_the_tscs_frequency_is_measured_where_kvm_does_not_know_it(self):
        known = self.account("@hello").report["tsc_khz"]
        env = program.faked(FAKE_KVM_FAIL=f"{KVM_GET_TSC_KHZ}:{EINVAL}")
        measured = self.account("@hello", env=env).report["tsc_khz"]
        # Over some 50 ms; a wrong unit would be off by a thousand.
        self.assertTrue(known / 2 < measured < known * 2, (known, measured))


if __name__ == "__main__":
    machine.main()
