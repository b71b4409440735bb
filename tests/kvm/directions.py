"""What an experiment's result has to show on any host: every row, and the direction that follows from counts that are
determined. No time is checked. A mixin of experiments.Case: check_NAME(result) for each experiment."""

from step_test import CASES

TINY = 1e-9  # what quotients of whole numbers are off by
LATE = 2 / 20  # exits a step, of at least 20, by an interrupt that comes in the next share's phase only
WORKS_ON_MEMORY = 12


def by(rows, *columns):
    return {tuple(row[column] for column in columns): row for row in rows}


class Directions:
    EXPERIMENTS = ()

    def result_of(self, name):
        return self.bench(name)

    def test_each_experiment_shows_its_direction(self):
        for name in self.EXPERIMENTS:
            with self.subTest(experiment=name):
                self.check_of(name)(self, self.result_of(name))

    @classmethod
    def check_of(cls, name):
        return getattr(cls, "check_" + name.replace("-", "_"))

    def check_exits(self, result):
        """What userspace serves returns once a round, what the kernel serves never."""
        table = result["tables"][0]
        rows = by(table["rows"], "kind", "server")
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
        self.assertRegex(" ".join(table["notes"]), r"A byte, net, .*: REP OUTSB [\d.]+ \S+, REP INSB [\d.]+ \S+\.")

    def check_io_mix(self, result):
        """Exits grow with the share of requests, and by more with the emulated disk."""
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

    def check_net(self, result):
        """An ioeventfd spares the exits of the emulated card."""
        rows = by(self.table(result, "net"), "device", "notified", "waits")
        kinds = [("e1000", "exit"), ("virtio-net", "exit"), ("virtio-net", "ioeventfd")]
        self.assertEqual(sorted(rows), sorted((*kind, waits) for kind in kinds for waits in ("halts", "polls")))
        exits = {key: row["exits"]["median"] for key, row in rows.items()}
        self.assertEqual(exits["virtio-net", "ioeventfd", "polls"], 0)
        self.assertEqual(exits["e1000", "exit", "polls"], exits["virtio-net", "exit", "polls"])
        self.assertLess(exits["virtio-net", "ioeventfd", "halts"], exits["virtio-net", "exit", "halts"])
        for row in rows.values():
            self.assertGreaterEqual(row["packets"], 200)

    def check_batch(self, result):
        """Exits a request are one by the batch, or none by an ioeventfd."""
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

    def check_coalesce(self, result):
        """Each pair has a row at each rate, and each rate a winner, which has no more exits than holding nothing."""
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

    def check_interrupts(self, result):
        """Only a level-triggered line returns to user space."""
        table = result["tables"][0]
        rows = by(table["rows"], "way", "state")
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

    def check_idle(self, result):
        """Without a tick there are fewer exits; none of them returns to user space."""
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

    def check_paging(self, result):
        """Each kind of work has a row, and a Linux boot, too; none of it returns to user space."""
        rows = self.rows(result, "paging", "work")
        self.assertEqual(len(rows), WORKS_ON_MEMORY + 1)
        self.assertIn("--kernel", rows["Linux boot"]["not_here"])
        here = [row for row in rows.values() if "not_here" not in row]
        self.assertGreaterEqual(len(here), WORKS_ON_MEMORY - 1)
        self.assertTrue(all(row["rounds"] > 0 for row in here))
        self.assertGreaterEqual(len(result["exact_counts"]), len(here))

    def check_protect(self, result):
        """Every access is caught, and other memory is free."""
        ways = self.rows(result, "protect-ways", "way")
        self.assertEqual(len(ways), 15)
        for row in ways.values():
            self.assertEqual((row["none_caught"], row["ro_caught"]), (row["none_due"], row["ro_due"]))
        self.assertEqual(sum(row["none_due"] for row in ways.values()), 27)
        self.assertEqual(sum(row["ro_due"] for row in ways.values()), 18)
        exits = {memory: row["exits"]["median"] for memory, row in self.rows(result, "protect-cost", "memory").items()}
        self.assertEqual(exits, {"unprotected": 0, "beside": 0, "none": 1, "ro": 1, "inject": 1})
        self.assertIn("45 of 45 accesses were caught", result["answer"])

    def check_introspect(self, result):
        """Only serving each write lists each write."""
        rows = self.rows(result, "introspect", "way")
        listed = {way: rows[way]["listed"]["median"] for way in ("unwatched", "exit", "bitmap")}
        self.assertEqual(listed["unwatched"], 0)
        self.assertGreaterEqual(listed["exit"], 100)
        self.assertTrue(2 <= listed["bitmap"] <= listed["exit"], listed)
        self.assertEqual(rows["exit"]["exits"]["median"], 1)
        self.assertEqual(rows["exit"]["told"], "address, width, value, RIP, vCPU")
        self.assertEqual(rows["bitmap"]["told"], "page")
        self.assertEqual(rows["bitmap"]["exits"]["median"], 0)
        self.assertIn("ring", rows)
        if "not_here" not in rows["ring"]:
            self.assertEqual(rows["ring"]["told"], "page, vCPU")
            self.assertEqual(rows["ring"]["exits"]["median"], 0)
        told = "pml" in rows or any("page-modification" in note for table in result["tables"] for note in table["notes"])
        self.assertTrue(told)

    def check_single_step(self, result):
        """Each case has a verdict or a reason: what a KVM gets wrong is a finding of the experiment's."""
        rows = self.rows(result, "single-step", "case")
        self.assertEqual(list(rows), list(CASES))
        for row in rows.values():
            if "not_here" not in row:
                self.assertEqual(row["verdict"] == "pass", row["due"] == row["came"] and row["data"] == "right")
        self.assertEqual(rows["nop"]["verdict"], "pass")
        self.assertEqual(rows["nop"]["due"], "#DB after it, #DB after the NOP")
        self.assertEqual(rows["mmio-read-page-end"]["due"], "nothing")
        self.assertEqual(rows["sti-nop"]["due"], "#DB before it, interrupt before it, #DB after it, #DB after the NOP")

    def check_complexity(self, result):
        """Doing more in one exit saves exits."""
        ways = self.rows(result, result["tables"][0]["id"], "way")
        self.assertEqual(ways["64-byte record, 16 OUT"]["returns"], 16)
        self.assertEqual(ways["64-byte record, its address"]["returns"], 1)
        self.assertEqual(ways["256 bytes out, one by one"]["returns"], 256)
        self.assertLessEqual(ways["256 bytes in, REP INSB"]["returns"], 256)
        self.assertEqual([ways[f"256 units of work, {n} exit{'s' * (n > 1)}"]["returns"] for n in (1, 4, 16)], [1, 4, 16])
        parts = [row["part"] for row in result["tables"][1]["rows"]]
        self.assertEqual(len(parts), 4)
        (plot,) = result["plots"]
        self.assertEqual([len(series["points"]) for series in plot["series"]], [5, 5])

    def check_tsx(self, result):
        """Each length and rate has its row."""
        rows = by(self.table(result, "tsx"), "lines", "rate")
        self.assertEqual(sorted(rows), [(lines, rate) for lines in (1, 4, 16, 64, 256) for rate in (0, 100, 1000, 10000)])
        without = [row for row in rows.values() if "not_here" in row]
        self.assertIn(len(without), (0, len(rows)))
        if without:
            self.assertIn("This host cannot answer", result["answer"])

    def check_scale(self, result):
        """Each number of vCPUs and of machines has its row, and each machine its sample."""
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

    def check_overhead(self, result):
        """Nothing is counted where nothing is recorded, and all where it is."""
        levels = self.rows(result, "levels", "level")
        self.assertEqual(list(levels), ["off", "on", "details", "guest page", "tracer"])
        for level in ("on", "details", "guest page"):
            counted, rounds = levels[level]["returns"].split(" of ")
            self.assertEqual(counted, rounds)
            self.assertNotEqual(rounds, "0")
        self.assertTrue(levels["off"]["returns"].startswith("0 of "))
