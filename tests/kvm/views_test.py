#!/usr/bin/env python3
"""Looking at a run: --live, --serve, --rip, and the formats that draw."""

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time
import unittest
import urllib.error
import urllib.request

import machine
import program

BUSY = ("@mix", "--cmdline", "n=100000000 kinds=port")


class Served:
    """A run that is served; as a context, ended by a signal."""

    def __init__(self, case, *arguments):
        self.process = case.start("run", *arguments, "--serve", "0", "--serial", "null", "--report", "none")
        self.url = None
        for line in self.process.stderr:
            found = re.search(rb" at (http://127\.0\.0\.1:\d+/)", line)
            if found:
                self.url = found.group(1).decode()
                return
        case.fail("the run ended before it served")

    def get(self, path, **headers):
        request = urllib.request.Request(self.url + path, headers=headers)
        with urllib.request.urlopen(request, timeout=program.PATIENCE) as answer:
            return answer.headers["Content-Type"], answer.read().decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(program.PATIENCE)


class Serve(machine.Case):
    COUNT = re.compile(r'kvmbench_exits_total\{vcpu="0",reason="io",device="unclaimed"\} (\d+)')

    def test_metrics_snapshot_and_page_are_served_while_the_guest_runs(self):
        with Served(self, *BUSY) as served:
            kind, metrics = served.get("metrics")
            self.assertTrue(kind.startswith("application/openmetrics-text; version=1.0.0"))
            self.assertTrue(metrics.endswith("# EOF\n"))
            self.wait_until(lambda: self.COUNT.search(served.get("metrics")[1]), served.process)
            count = self.COUNT.search(served.get("metrics")[1])
            snapshot = json.loads(served.get("snapshot")[1])
            self.expect_valid(snapshot, "report")
            self.assertEqual(snapshot["ending"], "running")
            self.assertGreaterEqual(snapshot["exits"], int(count.group(1)))
            self.assertIn("<h1>Exits of @mix</h1>", served.get("")[1])

    def test_without_the_token_nothing_is_served(self):
        token = self.file("token", b"s3cret\n")
        with Served(self, "@spin", "--serve-token", token) as served:
            with self.assertRaises(urllib.error.HTTPError) as refused:
                served.get("metrics")
            self.assertEqual(refused.exception.code, 401)
            refused.exception.close()
            self.assertIn("# EOF", served.get("metrics", Authorization="Bearer s3cret")[1])

    def test_what_is_no_endpoint_or_no_token_is_refused(self):
        self.expect_refusal(self.run_program("run", "@hello", "--serve", "nowhere:1"), 2, "nowhere:1")
        done = self.run_program("run", "@hello", "--serve", "0", "--serve-token", self.file("empty"))
        self.expect_refusal(done, 2, "--serve-token")


@unittest.skipIf(shutil.which("prometheus") is None, "no prometheus: install the Debian package of this name")
class Fleet(machine.Case):
    def test_prometheus_reads_the_rates_of_two_machines(self):
        with Served(self, *BUSY) as one, Served(self, *BUSY) as two:
            targets = [served.url.removeprefix("http://").rstrip("/") for served in (one, two)]
            config = self.file("prometheus.yml", (
                "global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: kvmbench\n"
                f"  static_configs: [{{targets: {json.dumps(targets)}}}]\n").encode())
            prometheus = self.start_command(
                ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.path}/data",
                 "--web.listen-address=127.0.0.1:0"], stdout=subprocess.DEVNULL)
            address = next(filter(None, (re.search(rb"address=(127\.0\.0\.1:[1-9]\d*)", line)
                                         for line in prometheus.stderr))).group(1).decode()
            rates = {}

            def known():
                rates.update(self.rates(address))
                return set(rates) == set(targets)

            self.wait_until(known, prometheus)
            for target in targets:
                self.assertGreater(rates[target], 0)

    @staticmethod
    def rates(address):
        query = "sum%20by%20(instance)%20(rate(kvmbench_exits_total[10s]))"
        try:
            with urllib.request.urlopen(f"http://{address}/api/v1/query?query={query}", timeout=20) as answer:
                result = json.load(answer)["data"]["result"]
        except OSError:
            return {}
        return {row["metric"]["instance"]: float(row["value"][1]) for row in result}


class Rip(machine.Case):
    def test_every_exit_has_a_place_and_a_built_in_guest_its_symbols(self):
        report = self.account("@mix", "--cmdline", "n=100", "--rip").report
        self.assertEqual(sum(site["count"] for site in report["sites"]), report["exits"])
        ports = [site for site in report["sites"] if site["address"] == 0x2F00]
        self.assertEqual(sum(site["count"] for site in ports), 100)
        self.assertTrue(all(site["symbol"] for site in ports))

    def test_folded_stacks_hold_every_character(self):
        done = self.run_program("run", "@hello", "--serial", "null", "--rip", "--report", "folded")
        self.expect(done, 0)
        lines = [line for line in done.out.decode().splitlines() if ";uart0_THR_out1;" in line]
        self.assertEqual(sum(int(line.rsplit(" ", 1)[1]) for line in lines), 40)

    def test_symbols_that_are_none_are_refused_before_the_run(self):
        done = self.run_program("run", "@hello", "--rip", "--symbols", self.file("a.map", b"hello\n"))
        self.expect_refusal(done, 2, "a.map", "line 1")


class Live(machine.Case):
    def test_without_a_terminal_a_line_a_second_tells_the_rates(self):
        done = self.run_program("run", *BUSY, "--live", "--timeout", "3s", "--report", "none")
        self.expect(done, 124)
        self.assertRegex(done.err, r"@mix  .* exits, .*/s.*; io [\d,.]+/s")

    def test_on_a_terminal_a_table_is_drawn_and_q_ends_the_run(self):
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ["TERM"] = "xterm"
            os.execv(program.KVMBENCH, [program.KVMBENCH, "run", "@mix", "--cmdline", "n=100000000 kinds=serial",
                                        "--live", "--report", "none"])
        output, sent, limit = b"", False, time.monotonic() + program.PATIENCE
        while time.monotonic() < limit:
            if select.select([terminal], [], [], 1)[0]:
                try:
                    output += os.read(terminal, 65536)
                except OSError:  # the other side has gone
                    break
            if not sent and output.count(b"exits/s") >= 3:
                os.write(terminal, b"q")
                sent = True
        else:
            os.kill(pid, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(terminal)
        self.assertEqual(status, 0)
        self.assertIn(b"\x1b[?1049h", output)
        self.assertIn(b"> io", output)
        self.assertGreater(output.rindex(b"\x1b[?1049l"), output.rindex(b"exits/s"))


class Drawn(machine.Case):
    def test_a_saved_report_is_drawn_as_it_was_at_once(self):
        done = self.run_program("run", "@mix", "--cmdline", "n=2000", "--serial", "null", "--interval", "100ms",
                                "--interval-file", "r.jsonl", "--report", "json,svg", "--chart", "timeline",
                                "--report-file", "r.json")
        self.expect(done, 0)
        drawn = ("report", "r.json", "--format", "svg", "--chart", "timeline")
        again = self.run_program(*drawn, "--intervals", "r.jsonl")
        self.expect(again, 0)
        self.assertEqual(done.out, again.out)
        self.assertIn(b"Exits over time", again.out)
        self.expect_refusal(self.run_program(*drawn), 2, "--interval")


if __name__ == "__main__":
    machine.main()
