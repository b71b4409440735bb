#!/usr/bin/env python3
"""The machine that the options make: the mode a raw binary is entered in, memory, vCPUs, interrupt chips, CPUID."""

import pathlib

import machine
from machine import EXIT_0

# The same bytes in each mode:
#   mov eax,cr0; and al,1; mov bl,al      bit 0: protected mode
#   xor eax,eax; 48 ff c0                 inc rax in 64-bit mode, else dec eax, inc eax
#   add al,al; add al,bl; out 0xf4,al
WHICH_MODE = "0f20c0 2401 88c3 31c0 48ffc0 00c0 00d8 e6f4"
MODES = {16: 0, 32: 1, 64: 3}

# mov eax,LEAF; cpuid; bt REGISTER,BIT; setc al; out 0xf4,al
CPUID_BIT = "b8{leaf} 0fa2 0fba{register}{bit:02x} 0f92c0 e6f4"
ECX, EAX = "e1", "e0"

BOOT_ADDRESS = 0x7C00
LOAD_ADDRESS = 0x100000


def little(value, size=4):
    return value.to_bytes(size, "little").hex()


class Raw(machine.Case):
    def test_a_raw_binary_is_entered_in_the_mode_that_is_asked_for(self):
        for mode, status in MODES.items():
            with self.subTest(mode=mode):
                self.expect(self.raw(WHICH_MODE, mode=mode), status)

    def test_it_is_entered_where_it_is_asked_for(self):
        # call/pop tells where the code lies: bits 12 to 19 of it become the status.
        where = {
            16: "e80000 58 c1e804 2500ff 88e0 e6f4",  # call $+3; pop ax; shr ax,4; and ax,0xff00; mov al,ah
            32: "e800000000 58 c1e80c e6f4",
            64: "e800000000 58 c1e80c e6f4",
        }
        for mode, address, status in ((16, 0x8000, 8), (32, 0x23000, 0x23), (64, 0x345000, 0x45), (64, 0x2F000, 0x2F)):
            with self.subTest(mode=mode, address=hex(address)):
                self.expect(self.raw(where[mode], "--load-address", hex(address), mode=mode), status)

    def test_without_an_address_it_is_where_a_bios_or_a_kernel_would_be(self):
        self.expect(self.raw("e80000 58 c1e804 88e0 e6f4", mode=16), BOOT_ADDRESS >> 12)  # 0x7c00 >> 4 >> 8
        self.expect(self.raw("e800000000 58 c1e80c 6689c0 88e0 e6f4"), (LOAD_ADDRESS >> 12) >> 8)

    def test_the_entry_point_may_lie_within(self):
        self.expect(self.raw("b001 e6f4 b002 e6f4", "--entry", hex(LOAD_ADDRESS + 4)), 2)

    def test_addresses_outside_memory_are_refused(self):
        image = self.file("raw.bin", EXIT_0)
        for option in (
            ["--load-address", "0x20000000"],  # the end of 512 MiB
            ["--load-address", "0x1ffffffd"],
            ["--load-address", "0xc0000000"],  # devices
            ["--load-address", "0xffffffffffffffff"],
            ["--load-address", "0xfffff"],  # over the BIOS area
            ["--entry", hex(LOAD_ADDRESS + 4)],
            ["--entry", "0"],
        ):
            with self.subTest(option=option):
                self.expect_refusal(self.run_program("run", image, "--mode", "64", *option), 2, str(image))


class Memory(machine.Case):
    # mov byte [edi],0x5a; mov al,[edi]; out 0xf4,al
    TOUCH = "bf{} c6075a 8a07 e6f4"
    # The same by rdi, above 4 GiB, once the identity map's first entry is made to show a page up there:
    #   page directory 0 (at 0xb000) entry 511 := ADDRESS | present | writable | 2 MiB
    TOUCH_HIGH = "48b9{} 48890c25f8bf0000 bf0000e03f c6075a 8a07 e6f4"

    def test_one_mib_is_enough_for_a_raw_binary(self):
        done = self.raw(EXIT_0, "--mem", "1M", "--load-address", "0x8000")
        self.expect(done, 0)

    def test_the_last_byte_of_memory_is_memory_and_the_next_is_not(self):
        for size, last in (("2M", 0x1FFFFF), ("3G", 0xBFFFFFFF)):
            with self.subTest(size=size):
                self.expect(self.raw(self.TOUCH.format(little(last)), "--mem", size), 0x5A)
                done = self.raw(self.TOUCH.format(little(last + 1)), "--mem", size)
                self.expect(done, 0xFF)
                wanted = {(machine.KVM_EXIT_MMIO, last + 1, direction, 1): 1 for direction in ("read", "write")}
                wanted[(machine.KVM_EXIT_IO, 0xF4, "write", 1)] = 1
                self.expect_counts(machine.keys_of(done.report), wanted)

    def test_what_exceeds_3_gib_lies_above_4_gib(self):
        present_writable_large = 0x83
        for address, status in ((0x1_0000_0000, 0x5A), (0x1_7FE0_0000, 0x5A), (0x1_8000_0000, 0xFF)):
            with self.subTest(address=hex(address)):
                code = self.TOUCH_HIGH.format(little(address | present_writable_large, 8))
                self.expect(self.raw(code, "--mem", "5G"), status)

    def test_hello_runs_with_little_and_with_much_memory(self):
        for size in ("2M", "3G", "3073M", "5G", "6144MiB"):
            with self.subTest(size=size):
                self.expect(self.account("@hello", "--mem", size), 0)

    def test_sizes_that_cannot_be_are_refused(self):
        for size in ("0", "4K", "1048575", "1048577", "-1", "65T", "16E", "99999999999999999999", "lots", "", "1.5G"):
            with self.subTest(size=size):
                self.expect_refusal(self.run_program("run", "@hello", f"--mem={size}"), 2)

    def test_more_memory_than_the_hosts_kvm_takes_is_refused(self):
        done = self.run_program("run", "@hello", "--mem", "64T")
        self.assertIn(done.status, (2, 4))
        self.expect_refusal(done, done.status, "--mem")

    def test_huge_pages_that_the_host_has_not_are_named(self):
        free = int(pathlib.Path("/proc/sys/vm/nr_hugepages").read_text())
        done = self.run_program("run", "@hello", "--hugepages", "--mem", f"{2 * free + 2}M", "--report", "none")
        self.expect_refusal(done, 4, "nr_hugepages", "Cannot allocate memory")


class Cpus(machine.Case):
    def test_as_many_vcpus_as_the_host_allows_are_told_where_more_are_asked_for(self):
        for cpus in ("0", "5000"):
            with self.subTest(cpus=cpus):
                self.expect_refusal(self.run_program("run", "@hello", "--cpus", cpus), 2, f"--cpus {cpus}", "1 to ")

    def test_several_vcpus_need_an_interrupt_chip(self):
        done = self.run_program("run", "@hello", "--cpus", "2", "--irqchip", "none")
        self.expect_refusal(done, 2, "--irqchip none")

    def test_many_vcpus_run_and_stop(self):
        done = self.account("@smp", "--cpus", "16", "--cmdline", "n=160 ipis=1")
        self.expect(done, 0)
        shares = [machine.counts(vcpu["keys"]).get(machine.PORT, 0) for vcpu in done.report["vcpus"]]
        self.assertEqual(shares, [10] * 16)

    def test_each_irqchip_boots_hello(self):
        for irqchip in ("full", "split", "none"):
            with self.subTest(irqchip=irqchip):
                done = self.account("@hello", "--irqchip", irqchip)
                self.expect(done, 0)
                self.assertIn({"name": "irqchip", "value": irqchip}, done.report["machine"])


class Cpuid(machine.Case):
    def bit(self, leaf, register, bit, *arguments):
        """The CPUID bit as the guest sees it."""
        done = self.raw(CPUID_BIT.format(leaf=little(leaf), register=register, bit=bit), *arguments)
        self.assertIn(done.status, (0, 1), done)
        return done.status

    def test_a_masked_feature_is_hidden_by_each_of_its_names(self):
        hypervisor = (1, ECX, 31)
        self.assertEqual(self.bit(*hypervisor), 1)
        for name in ("hypervisor", "0x1:ecx.31", "1:ecx.31", "0x1.0:ecx.31"):
            with self.subTest(name=name):
                self.assertEqual(self.bit(*hypervisor, "--cpuid-mask", name), 0)

    def test_several_features_are_hidden_by_a_list_or_by_repetition(self):
        kvmclock = (0x40000001, EAX, 3)  # KVM_FEATURE_CLOCKSOURCE2
        x2apic = (1, ECX, 21)
        self.assertEqual((self.bit(*kvmclock), self.bit(*x2apic)), (1, 1))
        for masks in (["0x40000001:eax.3,x2apic"], ["0x40000001:eax.3", "x2apic"]):
            with self.subTest(masks=masks):
                options = [part for mask in masks for part in ("--cpuid-mask", mask)]
                self.assertEqual((self.bit(*kvmclock, *options), self.bit(*x2apic, *options)), (0, 0))

    def test_what_is_not_masked_stays(self):
        self.assertEqual(self.bit(1, ECX, 21, "--cpuid-mask", "hypervisor"), 1)

    def test_a_machine_without_local_apics_has_no_x2apic(self):
        self.assertEqual(self.bit(1, ECX, 21, "--irqchip", "none"), 0)

    def test_what_is_no_feature_is_refused(self):
        for mask in ("nosuch", "", "0x1:ecx.32", "0x1:efx.1", "0x1:ecx", "0x1:ecx.1x", "0x100000000:eax.0"):
            with self.subTest(mask=mask):
                self.expect_refusal(self.run_program("run", "@hello", f"--cpuid-mask={mask}"), 2, "--cpuid-mask")


if __name__ == "__main__":
    machine.main()
