#!/usr/bin/env python3
"""kvmbench bench: every experiment's rows are all there, counts that are determined are exact, answers follow from
counts. No time is asserted."""

import csv
import io
import json

import directions
import experiments
import machine
import program


class Bench(directions.Directions, experiments.Case):
    EXPERIMENTS = ("exits", "complexity", "scale", "overhead")

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

    def test_every_experiment_has_its_directions_checked(self):
        for line in self.run_program("bench", "--list").out.decode().splitlines():
            with self.subTest(experiment=line.split()[0]):
                self.assertTrue(callable(self.check_of(line.split()[0])))

    def test_what_is_no_experiment_is_refused_before_anything_runs(self):
        for arguments, said in (
            (["nosuch"], "nosuch"),
            ([], "--list"),
            (["exits", "--format", "folded"], "--format"),
            (["exits", "--budget", "0s"], "--budget"),
        ):
            with self.subTest(arguments=arguments):
                self.expect_refusal(self.run_program("bench", *arguments), 2, said)

    def test_writes_gather_until_the_ring_is_full(self):
        """169 find room and the next one returns: linux/kvm.h, kvm_coalesced_mmio_ring in a page."""
        result = self.bench("exits", budget="4s")
        counts = [one for one in result["exact_counts"] if "coalesced" in one["what"]]
        self.assertGreater(len(counts), 0)
        self.assertGreater(sum(one["counted"] for one in counts), 0, counts)

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
        tables = (self.path / "exits.csv").read_text().split("\n\n")
        self.assertEqual([table.split(",")[0] for table in tables], ["exits prices kind", "exits clocks arm"])
        for table in tables:
            titles, *rows = csv.reader(io.StringIO(table))
            self.assertTrue(rows and all(len(row) == len(titles) for row in rows))

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
