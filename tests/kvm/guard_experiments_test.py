#!/usr/bin/env python3
"""The experiments with guarded memory, single-stepping and transactions: all rows are there and counts are exact. What this
host's KVM gets wrong is a finding of the experiment's and not this test's. No time is asserted."""

import directions
import experiments
import machine


class Guard(directions.Directions, experiments.Case):
    def test_protect(self):
        self.check_protect(self.bench("protect"))

    def test_introspect(self):
        self.check_introspect(self.bench("introspect"))

    def test_single_step(self):
        self.check_single_step(self.bench("single-step"))

    def test_tsx(self):
        self.check_tsx(self.bench("tsx"))


if __name__ == "__main__":
    machine.main()
