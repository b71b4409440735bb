#!/usr/bin/env python3
"""kvmbench bench: every experiment's rows are all there, counts that are determined are exact, answers follow from
counts. No time is asserted."""

import csv
import io
import json

import experiments
import machine
import program


class Bench(experiments.Case):
    def test_list_names_each_experiment_with_its_question(self):
        done = self.run_program("bench", "--list")
        self.expect(done, 0)
        lines = done.out.decode().splitlines()
        self.assertTrue(all(line.endswith("?") for line in lines), lines)
        self.assertIn("exits", [line.split()[0] for line in lines])

    def test_every_experiment_is_defined_in_the_documentation(self):
        listed = [line.split()[0] for line in self.run_program("bench", "--list").out.decode().splitlines()]
        text = (program.ROOT / "docs" / "experiments.md").read_text()
        defined = [line[3:] for line in text.splitlines() if line.startswith("## ")]
        self.assertEqual(defined[1:], listed)

    def test_what_is_no_experiment_is_refused_before_anything_runs(self):
        for arguments, said in (
            (["nosuch"], "nosuch"),
            ([], "--list"),
            (["exits", "--format", "folded"], "--format"),
            (["exits", "--budget", "0s"], "--budget"),
        ):
            with self.subTest(arguments=arguments):
                self.expect_refusal(self.run_program("bench", *arguments), 2, said)

    def test_exits_has_a_row_for_each_kind_and_exact_returns(self):
        result = self.bench("exits")
        (table,) = result["tables"]
        rows = {(row["kind"], row["server"]): row for row in table["rows"]}
        self.assertEqual(len(rows), len(table["rows"]))
        self.assertEqual(len(rows), 45)
        for row in table["rows"]:
            if "not_here" in row:
                self.assertNotEqual(row["not_here"], "")
            else:
                self.assertGreater(row["rounds"], 0, row)
        for kind, returns in (
            (("CPUID", "kernel"), 0),
            (("RDMSR", "kernel"), 0),
            (("RDMSR", "VMM"), 1),
            (("IN", "kernel (PIC)"), 0),
            (("OUT", "VMM (UART)"), 1),
            (("OUT", "nobody"), 1),
            (("MMIO read", "nobody"), 1),
            (("ioeventfd, MMIO, exact", "kernel"), 0),
            (("#PF and IRET", "guest"), 0),
        ):
            self.assertEqual(rows[kind]["returns"], returns, kind)

    def test_writes_gather_until_the_ring_is_full(self):
        """169 find room and the next one returns: linux/kvm.h, kvm_coalesced_mmio_ring in a page."""
        result = self.bench("exits", budget="4s")
        counts = [one for one in result["exact_counts"] if "coalesced" in one["what"]]
        self.assertGreater(len(counts), 0)
        self.assertGreater(sum(one["counted"] for one in counts), 0, counts)

    def test_complexity_saves_exits_by_doing_more_in_one(self):
        result = self.bench("complexity")
        ways = {row["way"]: row for row in result["tables"][0]["rows"]}
        self.assertEqual(ways["64-byte record, 16 OUT"]["returns"], 16)
        self.assertEqual(ways["64-byte record, its address"]["returns"], 1)
        self.assertEqual(ways["256 bytes out, one by one"]["returns"], 256)
        self.assertLessEqual(ways["256 bytes in, REP INSB"]["returns"], 256)
        self.assertEqual([ways[f"256 units of work, {n} exit{'s' * (n > 1)}"]["returns"] for n in (1, 4, 16)], [1, 4, 16])
        parts = [row["part"] for row in result["tables"][1]["rows"]]
        self.assertEqual(len(parts), 4)
        (plot,) = result["plots"]
        self.assertEqual([len(series["points"]) for series in plot["series"]], [5, 5])

    def test_scale_has_each_number_of_vcpus_and_of_machines(self):
        result = self.bench("scale")
        rows = result["tables"][0]["rows"]
        sizes = [(row["work"], row["vcpus"], row["machines"]) for row in rows]
        for work in ("OUT, returns", "OUT, not recorded", "OUT, ioeventfd", "IPI to the next"):
            for cpus in (1, 2, 4):
                self.assertIn((work, cpus, 1), sizes)
        for machines in (2, 4):
            self.assertIn(("OUT, returns", 1, machines), sizes)
        together = [sample for sample in result["samples"] if sample["arm"] == "OUT, returns, 1 vCPU, 4 VMs"]
        self.assertEqual(len(together) % 4, 0)
        self.assertGreater(len(together), 0)

    def test_overhead_counts_nothing_where_nothing_is_recorded_and_all_where_it_is(self):
        result = self.bench("overhead")
        levels = self.rows(result, "levels", "level")
        self.assertEqual(list(levels), ["off", "on", "details", "guest page", "tracer"])
        for level in ("on", "details", "guest page"):
            counted, rounds = levels[level]["returns"].split(" of ")
            self.assertEqual(counted, rounds)
            self.assertNotEqual(rounds, "0")
        self.assertTrue(levels["off"]["returns"].startswith("0 of "))

    def test_every_format_shows_the_experiment(self):
        beginnings = {
            "markdown": b"# ", "openmetrics": b"# TYPE ", "html": b"<!DOCTYPE html>", "json": b"{", "text": b"\nexits: ",
        }
        for name, begins in beginnings.items():
            with self.subTest(format=name):
                done = self.run_program("bench", "exits", "--budget", "200ms", "--format", name)
                self.expect(done, 0)
                self.assertTrue(done.out.startswith(begins), done)
        done = self.run_program("bench", "exits", "--budget", "200ms", "--format", "csv", "-o", "exits.csv")
        self.expect(done, 0)
        self.assertEqual(done.out, b"")
        titles, *rows = csv.reader(io.StringIO((self.path / "exits.csv").read_text()))
        self.assertEqual(titles[0], "exits prices kind")
        self.assertTrue(all(len(row) == len(titles) for row in rows))

    def test_what_is_found_is_saved_whether_it_was_asked_for_or_not(self):
        done = self.run_program("bench", "complexity", "--budget", "200ms")
        self.expect(done, 0)
        self.assertEqual(done.err, "kvmbench: saved to kvmbench-bench.json\n")
        (result,) = json.loads((self.path / "kvmbench-bench.json").read_text())["experiments"]
        self.assertEqual(result["name"], "complexity")

    def test_what_cannot_be_saved_is_shown_all_the_same(self):
        done = self.run_program("bench", "complexity", "--budget", "200ms", "--save", "nowhere/bench.json")
        self.expect(done, 2)
        self.assertIn("nowhere/bench.json", done.err)
        self.assertIn(b"complexity: ", done.out)


if __name__ == "__main__":
    machine.main()
