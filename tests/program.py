"""Runs kvmbench, for the tests of tests/kvm and tests/cli.

In the environment, set by CMakeLists.txt: KVMBENCH, the program under test; GUESTS, the directory of the guests' ELF
files; FAKE_KVM, the library made of tests/cli/fake_kvm.c; PRINT_SAMPLE, the program made of
tests/unit/report/print_sample.cpp.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parent.parent
KVMBENCH = os.environ.get("KVMBENCH", "")
GUESTS = pathlib.Path(os.environ.get("GUESTS", ""))
FAKE_KVM = os.environ.get("FAKE_KVM", "")
PRINT_SAMPLE = os.environ.get("PRINT_SAMPLE", "")
SKIPPED = 77  # SKIP_RETURN_CODE in the CMakeLists.txt
NOBODY = 65534
PATIENCE = 60  # seconds; only a program that hangs needs as many

SCHEMA = json.loads((ROOT / "docs" / "report.schema.json").read_text())


class Done:
    """What a run left."""

    def __init__(self, status, out, err):
        self.status = status
        self.out = out
        self.err = err

    def __str__(self):
        return f"status: {self.status}\nout: {self.out!r}\nerr: {self.err}"


def faked(**settings):
    """The environment under which fake_kvm.c makes the host lack something."""
    # The sanitizers' libraries want to be the first; it does not matter here.
    return {
        "LD_PRELOAD": FAKE_KVM,
        "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0",
        **{name: str(value) for name, value in settings.items()},
    }


class Case(unittest.TestCase):
    """A test with an empty directory of its own, in which kvmbench runs."""

    maxDiff = None

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="kvmbench-test.")
        self.addCleanup(directory.cleanup)
        self.path = pathlib.Path(directory.name)

    def file(self, name, content=b""):
        path = self.path / name
        path.write_bytes(content)
        return path

    def start(self, *arguments, **options):
        """Starts kvmbench, which is killed at the test's end at the latest."""
        return self.start_command([KVMBENCH, *map(str, arguments)], **options)

    def start_command(self, command, env=None, **options):
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(command, cwd=self.path, env={**os.environ, **(env or {})}, **{**pipes, **options})
        self.addCleanup(self._end, process)
        return process

    @staticmethod
    def _end(process):
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()

    def finish(self, process, given=None):
        out, err = process.communicate(given, timeout=PATIENCE)
        return Done(process.returncode, out or b"", (err or b"").decode(errors="replace"))

    def run_program(self, *arguments, given=None, **options):
        if given is not None:
            options["stdin"] = subprocess.PIPE
        return self.finish(self.start(*arguments, **options), given)

    def shell(self, script, *arguments, within=()):
        """Runs a shell script, whose $0 is kvmbench; `within` is a command before it."""
        return self.finish(self.start_command([*within, "sh", "-c", script, KVMBENCH, *map(str, arguments)]))

    def run_as_nobody(self, *arguments):
        """Runs kvmbench as a user who may do nothing; skips the test where that cannot be."""
        if os.geteuid() != 0:
            self.skipTest("only root can run a program as somebody else")
        try:
            return self.run_program(*arguments, user=NOBODY, group=NOBODY, extra_groups=[])
        except PermissionError:
            self.skipTest(f"other users may not run {KVMBENCH}")

    def expect(self, done, status):
        self.assertEqual(done.status, status, done)

    def expect_refusal(self, done, status, *parts):
        """One line on stderr, with these parts, and nothing on stdout."""
        self.expect(done, status)
        self.assertRegex(done.err, r"\Akvmbench: [^\n]+\n\Z")
        for part in parts:
            self.assertIn(part, done.err)
        self.assertEqual(done.out, b"", done)

    def expect_valid_comparison(self, value):
        """By docs/comparison.schema.json."""
        schema = json.loads((ROOT / "docs" / "comparison.schema.json").read_text())
        jsonschema.Draft202012Validator(schema).validate(value)

    def expect_valid(self, value, definition):
        """By docs/report.schema.json's definition of that name."""
        checker = jsonschema.Draft202012Validator({**SCHEMA, "$ref": f"#/$defs/{definition}"})
        self.assertEqual([f"{error.json_path}: {error.message[:200]}" for error in checker.iter_errors(value)], [])

    def wait_until(self, condition, process=None):
        limit = time.monotonic() + PATIENCE
        while not condition():
            if process is not None and process.poll() is not None:
                self.fail(f"ended too early: {self.finish(process)}")
            self.assertLess(time.monotonic(), limit, "waited in vain")
            time.sleep(0.01)


def main(reason_to_skip=None):
    """Runs the calling file's tests; exits with SKIPPED where there is a reason."""
    if not KVMBENCH or not FAKE_KVM:
        sys.exit(__doc__)
    if reason_to_skip:
        print(f"skipped: {reason_to_skip}")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
