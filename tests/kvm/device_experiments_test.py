#!/usr/bin/env python3
"""The experiments with disks and networks: all rows are there, counts are exact, and what is said to save exits has fewer of
them. No time is asserted."""

import directions
import experiments
import machine


class Devices(directions.Directions, experiments.Case):
    EXPERIMENTS = ("io-mix", "net", "batch", "coalesce")

    def test_html_and_svg_show_the_plots(self):
        for name in ("html", "svg"):
            with self.subTest(format=name):
                done = self.run_program("bench", "io-mix", "--budget", "500ms", "--format", name)
                self.expect(done, 0)
                self.assertIn("Exit rate against the share of I/O", done.out.decode())
                self.assertIn("<path d=", done.out.decode())

    def test_an_experiment_without_a_plot_is_no_drawing(self):
        self.expect_refusal(self.run_program("bench", "exits", "--budget", "200ms", "--format", "svg"), 2, "svg")


if __name__ == "__main__":
    machine.main()
