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

    def test_idle_has_a_row_for_each_timer_and_never_returns_to_user_space(self):
        result = self.bench("idle")
        rows = self.table(result, "idle")
        ticks = [(row["timer"], row["hz"], row["halting"]) for row in rows]
        for timer in ("PIT", "LAPIC periodic"):
            for hz in (100, 250, 1000):
                self.assertIn((timer, hz, "as the host's"), ticks)
        self.assertEqual(len(ticks), 11)
        for row in rows:
            if "not_here" in row:
                self.assertIn("KVM_CAP_", row["not_here"])
                continue
            with self.subTest(row=row):
                self.assertEqual(row["returns"]["max"], 0)
        self.assertGreaterEqual(len(result["exact_counts"]), 8)
        exits = {(row["timer"], row["hz"]): row["exits"] for row in rows if row.get("halting") == "as the host's"}
        if None not in exits.values():  # a kernel that counts exits
            self.assertLess(exits["tickless (TSC deadline)", None]["max"], exits["LAPIC periodic", 1000]["min"])

    WORK = 12

    def test_paging_has_a_row_for_each_kind_of_work_and_one_for_a_boot(self):
        result = self.bench("paging")
        rows = self.rows(result, "paging", "work")
        self.assertEqual(len(rows), self.WORK + 1)
        self.assertIn("--kernel", rows["Linux boot"]["not_here"])
        here = [row for row in rows.values() if "not_here" not in row]
        self.assertGreaterEqual(len(here), self.WORK - 1)
        self.assertTrue(all(row["rounds"] > 0 for row in here))
        self.assertGreaterEqual(len(result["exact_counts"]), len(here))

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
        for text in ('{}', '[', '{"format": "kvmbench-experiments"}'):
            with self.subTest(text=text):
                other = self.file("other.json", text.encode())
                self.expect_refusal(self.run_program("bench", "paging", "--with", other), 2, "other.json")


if __name__ == "__main__":
    machine.main()
