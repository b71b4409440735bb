#!/usr/bin/env python3
"""The commands on saved reports: what they print, what they refuse, and what they leave of an old file."""

import json

import program


class SavedReport(program.Case):
    def setUp(self):
        super().setUp()
        self.saved = self.sample("json", "run.json")

    def sample(self, form, name):
        """What tests/unit/report/print_sample prints, in a file."""
        done = self.finish(self.start_command([program.PRINT_SAMPLE, form]))
        self.expect(done, 0)
        return self.file(name, done.out)

    def report(self, *arguments, **options):
        return self.run_program("report", *arguments, **options)


class Rendered(SavedReport):
    def test_a_saved_report_renders_in_every_format_as_when_it_was_made(self):
        for form in ("json", "csv"):
            with self.subTest(form=form):
                done = self.report(self.saved, "--format", form)
                self.expect(done, 0)
                self.assertEqual(done.out, self.sample(form, "expected").read_bytes())

    def test_text_is_the_default_and_fits_a_narrow_terminal(self):
        done = self.report(self.saved, env={"COLUMNS": "40"})
        self.expect(done, 0)
        self.assertIn("Exits by reason", done.out.decode())
        self.assertLessEqual(max(map(len, done.out.decode().splitlines())), 40)

    def test_phases_are_split_on_demand(self):
        self.assertIn(b"phase `start`", self.report(self.saved, "--by-phase", "--format", "markdown").out)

    def test_a_file_takes_the_place_of_stdout(self):
        done = self.report(self.saved, "--format", "json", "-o", "again.json")
        self.expect(done, 0)
        self.assertEqual(done.out, b"")
        self.assertEqual((self.path / "again.json").read_bytes(), self.saved.read_bytes())


class Compared(SavedReport):
    def changed(self, name, change):
        report = json.loads(self.saved.read_bytes())
        change(report)
        return self.file(name, json.dumps(report).encode())

    def test_two_reports_stand_side_by_side(self):
        def half(report):
            report["operations"][0]["counts"][0]["count"] = 30

        done = self.run_program("compare", self.saved, self.changed("b.json", half), "--per", "disk requests")
        self.expect(done, 0)
        text = " ".join(done.out.decode().split())
        self.assertIn("A " + str(self.saved), text)
        self.assertIn("divided by disk requests (60 and 30)", text)
        self.assertIn("virtio-blk0 QueueNotify write 4 0.500 1.00 2.00", text)

    def test_json_is_as_the_schema_says(self):
        for files in (2, 3):
            done = self.run_program("compare", *[self.saved] * files, "--format", "json", "--per", "requests=7")
            self.expect(done, 0)
            comparison = json.loads(done.out)
            self.expect_valid_comparison(comparison)
            self.assertEqual(len(comparison["sides"]), files)
            self.assertEqual(comparison["total"]["sides"][0]["count"], 2065)

    def test_every_format_goes_to_a_file(self):
        for form in ("text", "json", "csv", "markdown"):
            with self.subTest(form=form):
                self.expect(self.run_program("compare", self.saved, self.saved, "--format", form, "-o", "out"), 0)
                self.assertIn("virtio-blk0", (self.path / "out").read_text())

    def test_different_hosts_are_refused_unless_that_is_wanted(self):
        def other(report):
            report["host"][0]["value"] = "Other CPU\x1b[2J"

        other = self.changed("other.json", other)
        self.expect_refusal(
            self.run_program("compare", self.saved, other), 2, "differ in cpu", "Other CPU\\x1b", "--different-hosts"
        )
        done = self.run_program("compare", self.saved, other, "--different-hosts")
        self.expect(done, 0)
        self.assertIn(b"Hosts differ in", done.out)

    def test_what_cannot_be_divided_by_is_refused(self):
        for per in ("requests=0", "=3", "leaps"):
            with self.subTest(per=per):
                self.expect_refusal(self.run_program("compare", self.saved, self.saved, "--per", per), 2, "--per")

    def test_one_report_is_not_enough(self):
        self.expect_refusal(self.run_program("compare", self.saved), 2, "files")


class Merged(SavedReport):
    def test_reports_are_added_up_in_whatever_order(self):
        self.file("other.json", self.saved.read_bytes().replace(b'"uart0"', b'"uart1"'))
        one = self.run_program("merge", "run.json", "other.json", "run.json", "-o", "one.json")
        self.expect(one, 0)
        other = self.run_program("merge", "other.json", "run.json", "run.json")
        self.expect(other, 0)
        self.assertEqual((self.path / "one.json").read_bytes(), other.out)
        report = json.loads(other.out)
        self.expect_valid(report, "report")
        self.assertEqual(report["runs"], 3)
        self.assertEqual(report["exits"], 3 * 2065)

    def test_several_files_are_one_report(self):
        done = self.report(self.saved, self.saved, "--format", "json")
        self.expect(done, 0)
        self.assertEqual(done.out, self.run_program("merge", self.saved, self.saved).out)

    def test_or_stand_side_by_side(self):
        done = self.report(self.saved, self.saved, "--side-by-side", "--format", "markdown")
        self.expect(done, 0)
        self.assertEqual(done.out, self.run_program("compare", self.saved, self.saved, "--format", "markdown").out)
        self.expect_refusal(self.report(self.saved, "--side-by-side"), 2, "--side-by-side")

    def test_hosts_must_be_the_same_and_clocks_always(self):
        host = self.file("host.json", self.saved.read_bytes().replace(b"Example CPU", b"Other CPU"))
        self.expect_refusal(self.run_program("merge", self.saved, host), 2, "cpu", "--different-hosts")
        self.expect(self.run_program("merge", self.saved, host, "--different-hosts"), 0)
        clock = self.file("clock.json", self.saved.read_bytes().replace(b'"tsc_khz": 1000000', b'"tsc_khz": 2000000'))
        self.expect_refusal(self.run_program("merge", self.saved, clock, "--different-hosts"), 2, "clock.json", "kHz")

    def test_a_bad_report_among_good_ones_leaves_the_old_sum(self):
        old = self.file("all.json", b"old")
        bad = self.file("bad.json", b"{}")
        self.expect_refusal(self.run_program("merge", self.saved, bad, "-o", old), 2, "bad.json")
        self.assertEqual(old.read_bytes(), b"old")


class Budget(SavedReport):
    """The sample has 2,065 exits, 30 of them mmio for 60 requests."""

    def check(self, *arguments):
        return self.report(self.saved, "--format", "none", *arguments)

    def test_a_budget_that_holds_is_told_line_by_line(self):
        budget = self.file("exits.budget", b"# few\nmmio.count <= 30\n\nkey(uart0 THR out) < 3000 # characters\n")
        done = self.check("--expect-file", budget, "--expect", "exits == 2065")
        self.expect(done, 0)
        self.assertEqual(done.out, b"")
        self.assertEqual(
            done.err,
            "kvmbench: pass: exits == 2065: 2,065\n"
            "kvmbench: pass: mmio.count <= 30: 30\n"
            "kvmbench: pass: key(uart0 THR out) < 3000: 2,010\n",
        )

    def test_one_that_fails_is_status_3(self):
        ratio = "device(virtio-blk0) / operations(virtio-blk0 requests) <= 0.4"
        done = self.check("--expect", "mmio <= 30", "--expect", ratio)
        self.expect(done, 3)
        self.assertIn("pass: mmio", done.err)
        self.assertIn(f"FAIL: {ratio}: 0.500\n", done.err)

    def test_a_mistake_is_status_2_with_its_line(self):
        budget = self.file("exits.budget", b"exits <= 5000\nmmioo <= 3\n")
        self.expect_refusal(self.check("--expect-file", budget), 2, "exits.budget:2", "mmioo")
        self.expect_refusal(self.check("--expect-file", self.file("none.budget", b"# none\n")), 2, "no expression")
        self.expect_refusal(self.check("--expect", "device(uart7) <= 3"), 2, "--expect", "uart7")
        done = self.check("--expect", "device(uart7) <= 3", "--expect", "exits <= 1")
        self.expect(done, 2)
        self.assertIn("FAIL: exits", done.err)

    def test_a_run_is_refused_before_it_starts(self):
        done = self.run_program("run", "@hello", "--expect", "mmio <= many", "--report-file", "report")
        self.expect_refusal(done, 2, "--expect", "many")
        self.assertFalse((self.path / "report").exists())

    def test_a_budget_that_was_written_holds(self):
        self.expect(self.check("--write-budget", "exits.budget"), 0)
        self.expect(self.check("--expect-file", "exits.budget"), 0)
        self.expect(self.check("--write-budget", "exits.budget", "--slack", "10%"), 0)
        self.assertIn("\nmmio.count <= 33\n", (self.path / "exits.budget").read_text())

    def test_a_budget_that_cannot_be_written_leaves_the_old_one(self):
        self.expect_refusal(self.check("--write-budget", "/dev/full"), 2, "/dev/full")
        self.expect_refusal(self.check("--write-budget", self.path), 2, str(self.path))

    def test_slack_is_a_share_of_a_budget_that_is_written(self):
        self.expect_refusal(self.check("--slack", "5%"), 2, "--write-budget")
        for slack in ("-1%", "much", "1e9", "nan"):
            with self.subTest(slack=slack):
                self.expect_refusal(self.check("--write-budget", "b", f"--slack={slack}"), 2, "--slack")

    def test_reports_side_by_side_have_no_budget(self):
        done = self.report(self.saved, self.saved, "--side-by-side", "--expect", "exits <= 1")
        self.expect_refusal(done, 2, "--side-by-side")


class Refused(SavedReport):
    def refuse(self, content, *parts):
        self.expect_refusal(self.report(self.file("bad.json", content)), 2, "bad.json", *parts)

    def test_a_file_is_needed(self):
        self.expect_refusal(self.report(), 2, "files")

    def test_a_file_that_is_not_there_is_named(self):
        self.expect_refusal(self.report("none.json"), 2, "none.json", "No such file")

    def test_a_directory_and_an_empty_file_are_refused(self):
        self.expect_refusal(self.report(self.path), 2, "directory")
        self.refuse(b"", "empty")

    def test_a_report_cut_short_is_refused(self):
        self.refuse(self.saved.read_bytes()[:-100], "not JSON")

    def test_a_newer_report_is_refused_by_its_version(self):
        report = json.loads(self.saved.read_bytes())
        report["version"] = 99
        self.refuse(json.dumps(report).encode(), "version 99 is newer")

    def test_hostile_json_is_refused(self):
        for content in (b"[" * 10**6, b'{"a":' * 10**6, b'{"version":NaN}', b"\xff\xfe", b'{"version":1e999}', b"null"):
            with self.subTest(content=content[:10]):
                self.refuse(content)

    def test_control_characters_in_a_name_reach_no_terminal(self):
        report = json.loads(self.saved.read_bytes())
        for key in report["vcpus"][0]["keys"]:
            key["device"] = "\x1b]0;x\x07<script>" if key["device"] else ""
        for vcpu in report["vcpus"][1:]:
            vcpu["keys"] = []
        done = self.report(self.file("odd.json", json.dumps(report).encode()))
        self.expect(done, 0)
        self.assertIn(b"\\x1b", done.out)
        self.assertNotIn(b"\x1b", done.out)

    def test_output_that_cannot_be_written_leaves_the_old_file(self):
        with open("/dev/full", "wb") as full:
            self.expect_refusal(self.report(self.saved, stdout=full), 2, "stdout", "No space left on device")
        self.expect_refusal(self.report(self.saved, "-o", "/dev/full"), 2, "/dev/full", "No space left on device")
        done = self.shell('"$0" report "$1" 2>&3 3>&1 >&- | cat', self.saved)
        self.assertNotIn(b"Exits", done.out)
        self.expect_refusal(self.report(self.saved, "-o", self.path / "none" / "file"), 2, "none/file")

    def test_a_reader_that_leaves_is_told_in_one_line(self):
        done = self.shell('{ "$0" report "$1" --format json; echo $? >status; } 2>error | true', self.saved)
        self.expect(done, 0)
        self.assertIn((self.path / "status").read_text(), ("0\n", "2\n"))
        self.assertLessEqual((self.path / "error").read_text().count("\n"), 1)

    def test_a_format_that_there_is_not_is_named(self):
        self.expect_refusal(self.report(self.saved, "--format", "docx"), 2, "--format", "docx")


if __name__ == "__main__":
    program.main()
