#!/usr/bin/env python3
"""The report of a run: its formats and where they go, phases, intervals; what cannot be written costs nothing else."""

import csv
import io
import json
import os
import re
import signal

import machine
from machine import SERIAL

MIX = ["@mix", "--cmdline", "kinds=serial,port n=20"]
TEXT = "as many as KVM_RUN returned"


class Formats(machine.Case):
    def test_every_format_goes_to_its_own_file(self):
        names = {"text": "t", "json": "j", "csv": "c", "markdown": "m"}
        done = self.run_program(
            "run", *MIX, "--report", ",".join(names), *(part for name in names.values() for part in ("--report-file", name))
        )
        self.expect(done, 0)
        self.assertNotIn(TEXT.encode(), done.out)
        self.assertIn(TEXT, (self.path / "t").read_text())
        report = self.read_report(self.path / "j")
        rows = list(csv.DictReader(io.StringIO((self.path / "c").read_text().split("\n\n")[0])))
        self.assertEqual(sum(int(row["count"]) for row in rows), report["exits"])
        self.assertIn("| --- |", re.sub("-+:?", "---", (self.path / "m").read_text()))

    def test_the_text_report_goes_to_stdout_after_what_the_guest_said(self):
        done = self.run_program("run", "@hello")
        self.expect(done, 0)
        self.assertTrue(done.out.startswith(b"Hello from inside the virtual machine.\r\n"))
        self.assertIn(TEXT.encode(), done.out)
        self.assertNotIn(b"\x1b", done.out)

    def test_formats_beyond_the_files_go_to_stdout(self):
        done = self.run_program(
            *["run", "@hello", "--serial", "null", "--report", "csv", "--report", "json", "--report-file", "c"]
        )
        self.expect(done, 0)
        self.check_sums(json.loads(done.out))
        self.assertGreater((self.path / "c").stat().st_size, 0)

    def test_no_report_is_nothing_on_stdout(self):
        done = self.run_program("run", "@hello", "--report", "none")
        self.assertEqual(done.out, b"Hello from inside the virtual machine.\r\n")
        self.assertEqual(done.err, "")

    def test_all_formats_of_one_run_have_the_same_counts(self):
        done = self.run_program("run", "@hello", "--serial", "null", "--report", "json,csv,text", "--report-file", "j")
        report = self.read_report(self.path / "j", done)
        out = done.out.decode()
        rows = list(csv.DictReader(io.StringIO(out[: out.index("\nkvmbench ")].split("\n\n")[0])))
        self.assertEqual(sum(int(row["count"]) for row in rows), report["exits"])
        self.assertIn(f"{report['exits']} exits, {TEXT}", out)

    def test_the_report_says_what_was_run(self):
        report = self.account("@mix", "--cmdline", "kinds=port n=1", "--mem", "64M", "--cpus", "2").report
        facts = {fact["name"]: fact["value"] for fact in report["machine"]}
        self.assertEqual((facts["image"], facts["memory"], facts["vcpus"]), ("@mix", "64 MiB", "2"))
        self.assertEqual(facts["command line"], "kinds=port n=1")
        self.assertEqual(report["ending"], "guest ended itself by the debug exit port with 0x0")

    def test_a_narrow_terminal_has_no_line_wider_than_it(self):
        for columns in (40, 60, 80, 200):
            with self.subTest(columns=columns):
                done = self.run_program(*["run", *MIX, "--serial", "null"], env={"COLUMNS": str(columns)})
                tables = done.out.decode()[done.out.decode().index("Exits by reason") :]
                self.assertLessEqual(max(map(len, tables.splitlines())), max(columns, 60))


class Phases(machine.Case):
    def test_by_phase_has_a_table_for_each_phase_that_adds_up_to_the_whole(self):
        done = self.run_program(*["run", *MIX, "--by-phase", "--serial", "null"])
        tables = re.split(r"^Exits by key, (?:phase )?", done.out.decode(), flags=re.MULTILINE)[1:]
        totals = {
            table.splitlines()[0]: int(re.search(r"^total +([0-9,]+)", table, re.MULTILINE)[1].replace(",", ""))
            for table in tables
        }
        whole = totals.pop("whole run")
        self.assertEqual(set(totals), {"start", "post 0x10", "post 0x11", "post 0x1f"})
        self.assertEqual(sum(totals.values()), whole)

    def test_a_line_of_output_that_matches_begins_a_phase(self):
        guest = ["@mix", "--cmdline", "kinds=port,mmio-read n=20"]
        report = self.account(*guest, "--mark-on-serial", "^kind +rounds.*max$").report
        (phase,) = [i for i, phase in enumerate(report["phases"]) if phase["kind"] == "serial_match"]
        self.assertEqual(report["phases"][phase]["text"], "^kind +rounds.*max$")
        # The line itself is before; the table's two other lines and the end follow.
        self.assertEqual(machine.counts(machine.keys_of(report, phase))[SERIAL], 2 * 60)

    def test_a_line_that_does_not_match_begins_none(self):
        report = self.account(*MIX, "--mark-on-serial", "no such line").report
        self.assertNotIn("serial_match", {phase["kind"] for phase in report["phases"]})

    def test_more_marks_than_there_are_phases_are_still_counted(self):
        # xor eax,eax; 256 times: out 0x80,al; inc al; twice over; then status 0.
        done = self.raw("31c0 b900020000 e680 fec0 e2fa b000 e6f4")
        self.expect(done, 0)
        self.assertEqual(machine.counts(machine.keys_of(done.report))[machine.MARK], 512)
        self.assertLessEqual(len(done.report["phases"]), 256)


class Intervals(machine.Case):
    def test_the_lines_validate_and_their_sums_are_the_report(self):
        done = self.account(
            *["@mix", "--cmdline", "budget_ms=40", "--interval", "30ms", "--interval-file", self.path / "lines"]
        )
        self.expect(done, 0)
        lines = machine.read_intervals(self.path / "lines")
        self.assertGreater(len(lines), 1)
        exits = in_keys = 0
        for line in lines:
            self.expect_valid(line, "interval")
            self.assertEqual(sum(vcpu["exits"] for vcpu in line["vcpus"]), line["exits"])
            # While the vCPU runs, an exit is counted before its key is (docs/report.md).
            exits += line["exits"]
            in_keys += sum(key["count"] for key in line["keys"])
            self.assertLessEqual(in_keys, exits)
        self.assertEqual(in_keys, exits)
        self.assertEqual([line["interval"] for line in lines], list(range(len(lines))))
        for line, following in zip(lines, lines[1:]):
            self.assertEqual(line["taken"], following["began"])
        self.assertEqual(sum(line["exits"] for line in lines), done.report["exits"])
        self.assertEqual(machine.interval_counts(lines), machine.report_counts(done.report))
        for figure in ("service", "run"):
            of_lines = sum(key[figure] for line in lines for key in line["keys"])
            self.assertEqual(of_lines, done.report["totals"][figure]["sum"])

    def test_a_killed_run_has_lost_no_more_than_an_interval(self):
        # The guest's own output, of which each byte is an exit, tells how far it came.
        process = self.start(
            *["run", "@mix", "--cmdline", "kinds=serial budget_ms=3600000", "--serial", "file:out"],
            *["--interval", "50ms", "--interval-file", "lines", "--report", "json", "--report-file", "report"],
        )
        self.wait_until(lambda: len(machine.read_intervals(self.path / "lines")) >= 4, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        lines = machine.read_intervals(self.path / "lines")
        counted = sum(key["count"] for line in lines for key in line["keys"] if machine.identity(key) == SERIAL)
        self.assertGreater(counted, 0)
        lost = (self.path / "out").stat().st_size - counted
        # A whole interval's exits at the highest rate of any interval, and as much again where the kill fell into a
        # busy moment of the host.
        most = max(line["exits"] for line in lines)
        self.assertLess(lost, 2 * most)
        self.assertFalse((self.path / "report").exists())

    def test_lines_are_appended_to_what_is_there(self):
        self.file("lines", b"kept\n")
        for _ in range(2):
            self.account("@hello", "--interval", "1s", "--interval-file", self.path / "lines")
        text = (self.path / "lines").read_text()
        self.assertTrue(text.startswith("kept\n"))
        self.assertEqual([json.loads(line)["interval"] for line in text.splitlines()[1:]], [0, 0])

    def test_a_log_that_cannot_be_opened_ends_before_the_guest_runs(self):
        done = self.run_program("run", "@hello", "--interval", "1s", "--interval-file", "/nonexistent/lines")
        self.expect_refusal(done, 2, "/nonexistent/lines", "No such file or directory")

    def test_a_log_that_cannot_be_written_costs_no_more_than_itself(self):
        done = self.account("@hello", "--interval", "10ms", "--interval-file", "/dev/full")
        self.expect(done, 0)
        self.assertRegex(done.err, r"\Akvmbench: /dev/full: No space left on device; [^\n]*\n\Z")


class Unwritable(machine.Case):
    OLD = b"the report of an earlier run"

    def test_a_report_file_in_a_missing_directory_is_refused_before_the_guest_runs(self):
        done = self.run_program("run", "@hello", "--report-file", "/nonexistent/report")
        self.expect_refusal(done, 2, "/nonexistent/report", "No such file or directory")

    def test_a_report_file_that_is_a_directory_is_refused_before_the_guest_runs(self):
        done = self.run_program("run", "@hello", "--report-file", self.path)
        self.expect_refusal(done, 2, str(self.path), "directory")

    def test_a_report_file_in_a_directory_that_may_not_be_written_is_refused(self):
        old = self.file("report", self.OLD)
        os.chmod(self.path, 0o555)
        done = self.run_as_nobody("run", "@hello", "--report-file", old)
        self.expect_refusal(done, 2, str(old), "Permission denied")
        self.assertEqual(old.read_bytes(), self.OLD)

    def test_a_full_disk_leaves_the_old_report_as_it_was(self):
        script = """
            mkdir full && mount -t tmpfs -o size=12k none full && printf %s "$1" > full/report || exit
            head -c 1M /dev/zero 2> /dev/null > full/ballast
            "$0" run @hello --report json --report-file full/report
            echo $? > status
            cp full/report kept
            ls full > files
        """
        done = self.shell(script, self.OLD.decode(), within=["unshare", "--mount"])
        if not (self.path / "status").exists():
            self.skipTest(f"cannot mount a small file system: {done.err.strip()}")
        self.assertEqual((self.path / "status").read_text(), "2\n", done)
        self.assertRegex(done.err, r"\Akvmbench: [^\n]*full/report[^\n]*No space left on device\n\Z")
        self.assertEqual((self.path / "kept").read_bytes(), self.OLD)
        self.assertEqual((self.path / "files").read_text(), "ballast\nreport\n")

    def test_a_device_without_room_is_told_in_one_line(self):
        done = self.run_program("run", "@hello", "--serial", "null", "--report-file", "/dev/full")
        self.expect_refusal(done, 2, "/dev/full", "No space left on device")

    def test_the_other_reports_are_written_where_one_cannot_be(self):
        done = self.run_program(
            *["run", "@hello", "--serial", "null", "--report", "text,json"],
            *["--report-file", "/dev/full", "--report-file", "j"],
        )
        self.expect_refusal(done, 2, "/dev/full")
        self.read_report(self.path / "j")

    def test_a_reader_that_leaves_early_gets_no_crash(self):
        for arguments in (["--report", "text,json,csv"], ["--report", "none"]):
            with self.subTest(arguments=arguments):
                reader, writer = os.pipe()
                process = self.start("run", "@mix", "--cmdline", "kinds=serial n=500", *arguments, stdout=writer)
                os.close(writer)
                os.read(reader, 1)
                os.close(reader)
                done = self.finish(process)
                self.assertIn(done.status, (0, 2), done)

    def test_a_stderr_that_takes_nothing_costs_no_report(self):
        for name, stderr in (("full", open("/dev/full", "wb")), ("no reader", self.broken_pipe())):
            with self.subTest(stderr=name), stderr:
                path = self.path / f"{name}.json"
                done = self.run_program("run", "@crash", "--report", "json", "--report-file", path, stderr=stderr)
                self.expect(done, 5)
                self.read_report(path)

    def test_closed_standard_streams_do_not_get_what_is_not_theirs(self):
        done = self.shell(
            'exec "$0" run @crash --report json --report-file report --interval 1s --interval-file lines <&- >&- 2>&-'
        )
        self.expect(done, 5)
        self.read_report(self.path / "report")
        self.assertEqual(len(machine.read_intervals(self.path / "lines")), 1)
        self.assertEqual(len((self.path / "lines").read_text().splitlines()), 1)

    def test_a_run_over_its_budget_is_status_3_with_its_report(self):
        run = ("run", "@mix", "--cmdline", "n=100", "--serial", "null", "--report", "json", "--report-file")
        done = self.run_program(*run, "report", "--expect", "mmio == 200", "--write-budget", "exits.budget")
        self.expect(done, 0)
        self.assertEqual(done.err, "kvmbench: pass: mmio == 200: 200\n")
        done = self.run_program(*run, "report", "--expect-file", "exits.budget", "--expect", "mmio < 200")
        self.expect(done, 3)
        self.assertIn("kvmbench: FAIL: mmio < 200: 200\n", done.err)
        self.assertIn("kvmbench: pass: mmio.count <= 200: 200\n", done.err)
        self.read_report(self.path / "report")

    def test_a_guest_that_crashed_is_told_before_its_budget(self):
        done = self.run_program("run", "@crash", "--report", "none", "--expect", "exits > 1000000")
        self.expect(done, 5)
        self.assertIn("FAIL: exits > 1000000", done.err)

    @staticmethod
    def broken_pipe():
        reader, writer = os.pipe()
        os.close(reader)
        return open(writer, "wb", buffering=0)

    def test_a_report_replaces_an_old_one_whole_and_keeps_its_mode(self):
        path = self.file("report", self.OLD)
        path.chmod(0o640)
        self.expect(self.run_program("run", "@hello", "--report", "json", "--report-file", path), 0)
        self.read_report(path)
        self.assertEqual(path.stat().st_mode & 0o777, 0o640)
        self.assertEqual(os.listdir(self.path), ["report"])

    def test_a_report_file_may_be_a_pipe(self):
        os.mkfifo(self.path / "pipe")
        process = self.start("run", "@hello", "--serial", "null", "--report", "json", "--report-file", "pipe")
        report = json.loads((self.path / "pipe").read_text())
        self.expect(self.finish(process), 0)
        self.check_sums(report)


if __name__ == "__main__":
    machine.main()
