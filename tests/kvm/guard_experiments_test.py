#!/usr/bin/env python3
"""The experiments with guarded memory, single-stepping and transactions: all rows are there and counts are exact. What this
host's KVM gets wrong is a finding of the experiment's and not this test's. No time is asserted."""

import directions
import experiments
import machine


class Guard(directions.Directions, experiments.Case):
    EXPERIMENTS = ("protect", "introspect", "single-step", "tsx")


if __name__ == "__main__":
    machine.main()
