#!/usr/bin/env python3
"""The experiments with disks and networks: all rows are there, counts are exact, and what is said to save exits has fewer of
them. No time is asserted."""

import experiments
import machine


def by(rows, *columns):
    return {tuple(row[column] for column in columns): row for row in rows}


TINY = 1e-9  # what quotients of whole numbers are off by
LATE = 2 / 20  # exits a step, of at least 20, by an interrupt that comes in the next share's phase only


class IoMix(experiments.Case):
    def test_exits_grow_with_the_share_of_requests_and_by_more_with_the_emulated_disk(self):
        result = self.bench("io-mix")
        rows = by(self.table(result, "io-mix"), "device", "share")
        shares = [percent / 100 for percent in range(0, 101, 10)]
        devices = ["ATA disk", "virtio-blk, exit", "virtio-blk, ioeventfd"]
        self.assertEqual(sorted(rows), sorted((device, share) for device in devices for share in shares))
        for share in shares:
            ata, by_exit, by_ioeventfd = (rows[device, share]["exits"]["median"] for device in devices)
            self.assertAlmostEqual(ata, 12 * share)
            # A request has two more with its interrupt, if there is one.
            self.assertTrue(share - TINY <= by_exit <= 3 * share + LATE + TINY, by_exit)
            self.assertTrue(0 <= by_ioeventfd <= 2 * share + LATE + TINY, by_ioeventfd)
        slopes = {row["device"]: row["exits_slope"] for row in self.table(result, "io-mix-models")}
        self.assertAlmostEqual(slopes["ATA disk"], 12)
        self.assertLess(slopes["virtio-blk, exit"], 4)
        self.assertLess(slopes["virtio-blk, ioeventfd"], 3)


class Net(experiments.Case):
    def test_an_ioeventfd_spares_the_exits_of_the_emulated_card(self):
        result = self.bench("net")
        rows = by(self.table(result, "net"), "device", "notified", "waits")
        kinds = [("e1000", "exit"), ("virtio-net", "exit"), ("virtio-net", "ioeventfd")]
        self.assertEqual(sorted(rows), sorted((*kind, waits) for kind in kinds for waits in ("halts", "polls")))
        exits = {key: row["exits"]["median"] for key, row in rows.items()}
        self.assertEqual(exits["virtio-net", "ioeventfd", "polls"], 0)
        self.assertEqual(exits["e1000", "exit", "polls"], exits["virtio-net", "exit", "polls"])
        self.assertLess(exits["virtio-net", "ioeventfd", "halts"], exits["virtio-net", "exit", "halts"])
        for row in rows.values():
            self.assertGreaterEqual(row["packets"], 200)


class Batch(experiments.Case):
    def test_exits_a_request_are_one_by_the_batch(self):
        result = self.bench("batch")
        rows = by(self.table(result, "batch"), "kick", "event_idx", "batch")
        batches = [1, 2, 4, 8, 16, 32, 64]
        kicks = [(kick, event_idx) for kick in ("exit", "ioeventfd") for event_idx in ("no", "yes")]
        self.assertEqual(sorted(rows), sorted((*kick, batch) for kick in kicks for batch in batches))
        for batch in batches:
            always, wanted = rows["exit", "no", batch], rows["exit", "yes", batch]
            self.assertAlmostEqual(always["exits"]["median"], 1 / batch)  # n is a multiple of 64
            self.assertLessEqual(wanted["exits"]["max"], 1 / batch)
            self.assertGreater(wanted["exits"]["min"], 0)
            for event_idx in ("no", "yes"):
                self.assertEqual(rows["ioeventfd", event_idx, batch]["exits"]["max"], 0)
            self.assertAlmostEqual(rows["ioeventfd", "no", batch]["notifications"]["median"], 1 / batch)


class Plots(experiments.Case):
    def test_html_and_svg_show_the_plots(self):
        for name in ("html", "svg"):
            with self.subTest(format=name):
                done = self.run_program("bench", "io-mix", "--budget", "500ms", "--format", name)
                self.expect(done, 0)
                self.assertIn("Exit rate against the share of I/O", done.out.decode())
                self.assertIn("<path d=", done.out.decode())

    def test_an_experiment_without_a_plot_is_no_drawing(self):
        self.expect_refusal(self.run_program("bench", "exits", "--budget", "200ms", "--format", "svg"), 2, "svg")


class Coalesce(experiments.Case):
    def test_every_pair_has_a_row_at_each_rate_and_each_rate_a_winner(self):
        result = self.bench("coalesce")
        rows = by(self.table(result, "coalesce"), "rate", "batch", "timeout_s")
        rates = sorted({rate for rate, _, _ in rows})
        self.assertEqual(len(rates), 4)
        timeouts = [0, 10e-6, 50e-6, 200e-6]
        pairs = {(1, None)} | {(batch, timeout) for batch in (2, 4, 8, 16) for timeout in timeouts}
        self.assertEqual({(rate, *pair) for rate in rates for pair in pairs}, set(rows))
        winners = self.rows(result, "coalesce-winners", "rate")
        self.assertEqual(sorted(winners), rates)
        for winner in winners.values():
            self.assertLessEqual(winner["exits"], winner["exits_none"])
        frontier, everything = result["plots"]
        for series, rate in zip(frontier["series"], rates):
            marked = [row for row in rows.values() if row["rate"] == rate and row["frontier"] == "yes"]
            self.assertEqual(len(series["points"]), len(marked))
            latencies = [point[0] for point in series["points"]]
            exits = [point[1] for point in series["points"]]
            self.assertEqual((latencies, exits), (sorted(latencies), sorted(exits, reverse=True)))
        self.assertTrue(all(len(series["points"]) == len(pairs) for series in everything["series"]))


if __name__ == "__main__":
    machine.main()
