#!/usr/bin/env python3
"""kvmbench bench interrupts, idle, paging: every row is there, and the directions follow from counts. No time is asserted."""

import experiments
import machine


class Interrupts(experiments.Case):
    def test_each_way_has_its_rows_and_only_a_level_triggered_line_returns_to_user_space(self):
        result = self.bench("interrupts")
        (table,) = result["tables"]
        rows = {(row["way"], row["state"]): row for row in table["rows"]}
        ways = ["KVM_IRQ_LINE, level", "irqfd, I/O APIC", "irqfd, MSI route", "KVM_SIGNAL_MSI", "I/O APIC in user space, level"]
        wanted = {(way, state) for way in ways for state in ("works", "halts")} | {("polled page", "polls")}
        self.assertEqual(set(rows), wanted)
        self.assertGreaterEqual(len(result["exact_counts"]), len(wanted))
        for (way, state), row in rows.items():
            with self.subTest(way=way, state=state):
                self.assertGreater(row["rounds"], 0)
                least = {"KVM_IRQ_LINE, level": 1, "I/O APIC in user space, level": 2}.get(way, 0)
                if least == 0:
                    self.assertEqual(row["returns"], 0)
                else:
                    self.assertGreaterEqual(row["returns"], least)
        self.assertEqual(rows["polled page", "polls"]["share"], 1)
        self.assertIn("APIC virtualisation: ", " ".join(table["notes"]))


if __name__ == "__main__":
    machine.main()
