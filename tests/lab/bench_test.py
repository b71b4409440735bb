#!/usr/bin/env python3
"""kvmbench bench all in the lab, on a KVM with hardware virtualisation: all rows are there, counts that are determined are
exact, and what they show has the direction that it must have. No time is looked at.

bench_test.py Svm | Vmx: all experiments; SvmPaging: nested and shadow paging in one table.
"""

import json
import shutil

import lab  # first: it makes the others found

import directions
import experiments
import linux_test

# What the hardware has to leave the guest for, once a round; and what it need not, under nested paging.
LEAVES = [
    ("CPUID", "kernel"),
    ("hypercall", "kernel"),
    ("IN", "kernel (PIC)"),
    ("OUT", "VMM (UART)"),
    ("MMIO read", "nobody"),
    ("ioeventfd, port, exact", "kernel"),
    ("ioeventfd, MMIO, exact", "kernel"),
    ("OUT, coalesced", "kernel"),
]
STAYS = [("nothing (two RDTSC)", "nobody"), ("CR3 switch", "kernel"), ("INVLPG", "kernel"), ("#PF and IRET", "guest")]
OTHERS = 0.5  # exits a round by what goes on beside: interrupts of the host's
FEW = 3  # of these, however few rounds there are

# What only shadow paging leaves the guest for, at least once a round.
SHADOWED = [
    "entry made present, write",
    "entry changed, INVLPG, write",
    "entry read-only and back, 2 INVLPG, write",
    "CR3 switched, write",
    "INVLPG, write",
]


def run(script, *options, files=(), linux=False):
    with lab.directory() as directory:
        for file in files:
            shutil.copy(file, directory)
        if linux:
            shutil.copy(lab.kernel(), directory / "image")
            linux_test.write_initramfs(directory, directory / "initrd", init="off_init")
        return lab.run(directory, script, *options, "--mem", "1500", "--timeout", "1100")


def bench(arguments):
    return (
        f'"$KVMBENCH" bench {arguments} --allow-unstable-tsc --trace --save results/bench.json '
        ">results/out 2>results/err || echo $? >results/failed"
    )


class Bench(directions.Directions):
    @classmethod
    def setUpClass(cls):
        cls.results = run(bench("all --budget 1s"), "--isa", cls.ISA)
        cls.document = json.loads(cls.results.text("bench.json"))
        cls.EXPERIMENTS = [result["name"] for result in cls.document["experiments"]]

    def result_of(self, name):
        (result,) = [one for one in self.document["experiments"] if one["name"] == name]
        return result

    def test_all_experiments_are_there_and_sound(self):
        self.assertEqual(self.results.text("failed"), "", self.results.text("err"))
        self.expect_sound(self.document)
        listed = [line.split()[0] for line in self.run_program("bench", "--list").out.decode().splitlines()]
        self.assertEqual([result["name"] for result in self.document["experiments"]], listed)
        for name in listed:
            self.assertIn(f"\n{name}: ", self.results.text("out"))

    def test_each_row_has_figures_or_a_reason(self):
        for result in self.document["experiments"]:
            for table in result["tables"]:
                for row in table["rows"]:
                    with self.subTest(experiment=result["name"], row=row):
                        self.assertGreater(len([value for value in row.values() if value is not None]), 1)

    def test_the_hardware_leaves_the_guest_for_what_it_has_to(self):
        rows = directions.by(self.result_of("exits")["tables"][0]["rows"], "kind", "server")
        for kinds, each in ((LEAVES, 1), (STAYS, 0)):
            for kind in kinds:
                with self.subTest(kind=kind):
                    rounds = rows[kind]["rounds"]
                    exits = rows[kind]["kernel_exits"] * rounds
                    self.assertGreaterEqual(exits, each * rounds)
                    self.assertLessEqual(exits, (each + OTHERS) * rounds + FEW)

    def test_the_kernel_has_each_arm_out_of_the_guest_for_longer_than_kvmbench_served_it(self):
        for result in self.document["experiments"]:
            for row in self.table(result, "clocks"):
                with self.subTest(experiment=result["name"], arm=row["arm"]):
                    if "not_here" in row:
                        continue
                    self.assertGreater(row["kernel_s"]["median"], row["service_s"]["median"])

    def test_the_warning_about_the_clock_comes_once(self):
        self.assertEqual(self.results.text("err").count("lacks constant_tsc"), self.WARNINGS)


class Svm(Bench, experiments.Case):
    ISA = "svm"
    WARNINGS = 1


class Vmx(Bench, experiments.Case):
    ISA = "vmx"
    WARNINGS = 0


class SvmPaging(experiments.Case):
    PAGING = f"paging --budget 2s --kernel image --initrd initrd --cmdline '{linux_test.PARAMETERS}'"

    def test_nested_and_shadow_paging_in_one_table(self):
        shadow = run(bench(self.PAGING), "--paging", "shadow", linux=True)
        saved = self.file("shadow.json", shadow.bytes("bench.json"))
        nested = run(bench(self.PAGING + " --with shadow.json"), files=[saved], linux=True)
        for results in (shadow, nested):
            self.assertEqual(results.text("failed"), "", results.text("err"))
        document = json.loads(nested.text("bench.json"))
        self.expect_sound(document)
        (result,) = document["experiments"]
        rows = self.rows(result, "paging", "work")
        for work in SHADOWED:
            with self.subTest(work=work):
                self.assertLess(rows[work]["exits"]["median"], OTHERS)
                self.assertGreaterEqual(rows[work]["other_exits"]["median"], 1)
        boot = rows["Linux boot"]
        self.assertGreater(boot["exits"]["median"], 0)
        self.assertLess(boot["exits"]["median"], boot["other_exits"]["median"])
        reasons = self.rows(result, "paging-reasons", "work")["Linux boot"]
        self.assertRegex(reasons["reasons"], r"\bNPF [\d,]+")
        self.assertRegex(reasons["other_reasons"], r"\bEXCP14 [\d,]+")  # #PF
        self.assertIn("nested: exits", nested.text("out"))
        self.assertIn("shadow: exits", nested.text("out"))


if __name__ == "__main__":
    lab.main()
