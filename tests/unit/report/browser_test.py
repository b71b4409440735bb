#!/usr/bin/env python3
"""The HTML report in a browser: browser_test.py PRINT_SAMPLE

Nothing goes to the console, nothing is fetched, the figures are those of the JSON report, and the script sorts and
filters. Chromium is Debian's; without it the test is skipped.
"""

import html.parser
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

PRINT_SAMPLE = sys.argv.pop() if len(sys.argv) > 1 else ""
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")

# Appended to the page: uses it as a reader would, and leaves in the title what came of it.
USE = """
<script>
const table = document.getElementById("key-table");
const column = title => [...table.tHead.rows[0].cells].findIndex(cell => cell.textContent === title);
const click = title => table.tHead.rows[0].cells[column(title)].querySelector("button").click();
const shown = title => [...table.tBodies[0].rows].filter(row => !row.hidden)
  .map(row => row.cells[column(title)]).map(cell => cell.dataset.value ?? cell.textContent);
const result = {};
click("count"); result.falling = shown("count");
click("count"); result.rising = shown("count");
click("register"); result.by_register = shown("register");
const filter = table.parentElement.previousElementSibling;
filter.value = "QUEUENOTIFY"; filter.dispatchEvent(new Event("input"));
result.filtered = shown("register");
const second = () => getComputedStyle(document.querySelector(".switch .second")).display;
result.before = second();
document.getElementById("by-count").click();
result.after = second();
result.wider_than_screen = document.documentElement.scrollWidth > window.innerWidth;
document.title = JSON.stringify(result);
</script>
"""


def printed(*arguments):
    return subprocess.run([PRINT_SAMPLE, *arguments], check=True, capture_output=True, text=True, timeout=60).stdout


def browse(page, size="1200,900", *options):
    """The document after its scripts have run, and what went to the log."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "page.html")
        path.write_text(page)
        command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={directory}/profile",
                   f"--window-size={size}", "--enable-logging=stderr", "--log-level=0", *options, "--dump-dom", path.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120,
                              env=dict(os.environ, HOME=directory))
    return done.stdout, done.stderr


class Tables(html.parser.HTMLParser):
    """Of each table with an id: its rows, each a list of (text, data-value)."""

    def __init__(self, page):
        super().__init__()
        self.tables, self.rows, self.cell = {}, None, None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "table":
            self.rows = self.tables.setdefault(attributes.get("id"), [])
        elif tag == "tr" and self.rows is not None:
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.cell = ["", attributes.get("data-value")]
            self.rows[-1].append(self.cell)

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.cell = None
        elif tag == "table":
            self.rows = None

    def handle_data(self, text):
        if self.cell is not None:
            self.cell[0] += text


def column(rows, title):
    index = [cell[0] for cell in rows[0]].index(title)
    return [row[index][1] if row[index][1] is not None else row[index][0] for row in rows[1:]]


@unittest.skipIf(BROWSER is None, "no chromium: install the Debian package of this name")
class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.report = json.loads(printed("json"))
        cls.source = printed("html")
        cls.page, cls.log = browse(cls.source)

    def test_the_console_stays_empty(self):
        self.assertIn("</html>", self.page)
        self.assertNotIn("CONSOLE", self.log)

    def test_a_broken_page_would_be_seen(self):
        """That the test above can fail."""
        broken = self.source.replace("</main>", "</main><script>missing();</script>")
        self.assertIn("CONSOLE", browse(broken)[1])

    def test_figures_by_reason_are_those_of_the_json(self):
        rows = Tables(self.page).tables["reason-table"]
        expected = self.report["by_reason"] + [self.report["totals"]]
        self.assertEqual([r.get("reason_name", "total") for r in expected], column(rows, "reason"))
        self.assertEqual([str(r["count"]) for r in expected], column(rows, "count"))
        self.assertEqual([str(r["run"]["sum"]) for r in expected], column(rows, "run"))
        for title, name in [("service", "sum"), ("min", "min"), ("p50", "p50"), ("p99", "p99"), ("p99.9", "p99.9"),
                            ("max", "max")]:
            self.assertEqual([str(r["service"][name]) for r in expected], column(rows, title), title)
        for value, reason in zip(column(rows, "mean"), expected):
            self.assertAlmostEqual(float(value), reason["service"]["mean"])

    def test_figures_by_key_are_those_of_the_json(self):
        sums = {}
        for vcpu in self.report["vcpus"]:
            for key in vcpu["keys"]:
                who = (key["reason_name"], key["device"], key["register"], key["address"], key["width"])
                count, service = sums.get(who, (0, 0))
                sums[who] = (count + key["count"], service + key["service"]["sum"])
        rows = Tables(self.page).tables["key-table"]
        shown = sorted(zip(map(int, column(rows, "count")), map(int, column(rows, "service"))))
        self.assertEqual(sorted(sums.values()), shown)

    def test_figures_by_phase_are_those_of_the_json(self):
        rows = Tables(self.page).tables["phase-table"]
        for title, name in [("exits", "exits"), ("service", "service"), ("run", "run")]:
            self.assertEqual([str(phase[name]) for phase in self.report["phases"]], column(rows, title))

    def test_hardware_figures_are_those_of_the_json(self):
        rows = Tables(self.page).tables["hardware-reasons-table"]
        expected = {each["reason_name"]: each for each in self.report["hardware"]["by_reason"]}
        names = column(rows, "reason")
        self.assertEqual(sorted([*expected, "total"]), sorted(names))
        figures = [("out of guest", "sum"), ("min", "min"), ("p50", "p50"), ("p99", "p99"), ("max", "max")]
        for name, count, returned, outside in zip(names, column(rows, "count"), column(rows, "to userspace"),
                                                  column(rows, "time there")):
            if name == "total":
                self.assertEqual(str(self.report["hardware"]["exits"]), count)
                continue
            self.assertEqual(str(expected[name]["count"]), count)
            self.assertEqual(str(expected[name]["returned"]), returned)
            self.assertEqual(str(expected[name]["outside"]["sum"]), outside)
        for title, figure in figures:
            shown = dict(zip(names, column(rows, title)))
            for name, each in expected.items():
                self.assertEqual(str(each["out_of_guest"][figure]), shown[name], (name, title))

    def test_tables_sort_and_filter_and_the_chart_switches(self):
        page, log = browse(self.source.replace("</body>", USE + "</body>"))
        self.assertNotIn("CONSOLE", log)
        result = json.loads(html.unescape(re.search(r"<title>(\{.*?\})</title>", page).group(1)))
        counts = [int(count) for count in result["falling"]]
        self.assertGreater(len(counts), 2)
        self.assertEqual(sorted(counts, reverse=True), counts)
        self.assertEqual(sorted(counts), [int(count) for count in result["rising"]])
        self.assertEqual(sorted(result["by_register"], key=str.lower), result["by_register"])
        self.assertEqual(["QueueNotify"], result["filtered"])
        self.assertEqual(("none", "block"), (result["before"], result["after"]))

    def test_a_phone_shows_it_without_scrolling_sideways(self):
        page, _ = browse(self.source.replace("</body>", USE + "</body>"), "390,844")
        result = json.loads(html.unescape(re.search(r"<title>(\{.*?\})</title>", page).group(1)))
        self.assertFalse(result["wider_than_screen"])


if __name__ == "__main__":
    if BROWSER is None:
        print("skipped: no chromium; install the Debian package of this name")
        sys.exit(77)
    unittest.main(verbosity=2)
