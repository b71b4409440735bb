#!/usr/bin/env python3
"""kvmbench bench: every experiment's rows are all there, counts that are determined are exact, answers follow from
counts. No time is asserted."""

import csv
import io

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

    def test_exits_has_a_row_for_each_kind_whose_returns_are_exact(self):
        result = self.bench("exits")
        rows = self.rows(result, "prices", "kind")
        self.assertGreater(len(result["exact_counts"]), 0)
        for kind, returns in (("CPUID", 0), ("RDMSR", 0), ("OUT, nobody answers", 1), ("MMIO read", 1)):
            self.assertEqual(rows[kind]["returns"], returns)
            self.assertGreater(rows[kind]["rounds"], 0)

    def test_every_format_shows_the_experiment(self):
        for name, begins in (("markdown", b"# "), ("html", b"<!DOCTYPE html>"), ("json", b"{"), ("text", b"\nexits: ")):
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


if __name__ == "__main__":
    machine.main()
