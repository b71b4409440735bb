#!/usr/bin/env python3
"""kvmbench bench interrupts, idle, paging: every row is there, and the directions follow from counts. No time is asserted."""

import directions
import experiments
import machine


class Processor(directions.Directions, experiments.Case):
    EXPERIMENTS = ("interrupts", "idle", "paging")

    def test_paging_shows_what_another_host_has_saved_beside_its_own(self):
        self.bench("paging", budget="200ms")
        saved = self.path / "other.json"
        (self.path / "bench.json").rename(saved)
        rows = self.rows(self.bench("paging", "--with", saved, budget="200ms"), "paging", "work")
        for name, row in rows.items():
            if "not_here" not in row:
                with self.subTest(work=name):
                    self.assertIsInstance(row["other_time_s"], dict)

    def test_what_is_no_saved_result_is_refused(self):
        without_reasons = '{"format": "kvmbench-experiments", "experiments": [{"name": "paging", "tables": [' \
            '{"id": "paging", "columns": [{"key": "work"}], "rows": []}]}]}'
        for text in ('{}', '[', '{"format": "kvmbench-experiments"}', without_reasons):
            with self.subTest(text=text):
                other = self.file("other.json", text.encode())
                self.expect_refusal(self.run_program("bench", "paging", "--with", other), 2, "other.json")


if __name__ == "__main__":
    machine.main()
