"""What the tests that run in the lab share: one boot of scripts/lab, the results it sends back, reports.

KVMBENCH in the environment names the program under test; tests/lab/CMakeLists.txt sets it.
"""

import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "kvm")]  # program.py and machine.py
LAB = HERE.parent.parent / "scripts" / "lab"
KVMBENCH = os.environ.get("KVMBENCH", "")
SKIPPED = 77  # SKIP_RETURN_CODE in CMakeLists.txt


@contextlib.contextmanager
def directory():
    """An empty directory, for the files that run() copies in."""
    with tempfile.TemporaryDirectory(prefix="kvmbench-lab.") as path:
        yield pathlib.Path(path)


def run(path, script, *options):
    """Runs the shell script in the lab, after in_lab.sh and in a copy of the directory; gives the Results it left.

    A script that fails is an error, as is a lab that does: what is under test is run by the functions of in_lab.sh,
    which keep its status as a result.
    """
    (path / "script").write_text(f". {HERE}/in_lab.sh\n{script}\n")
    added = ["--add", KVMBENCH, "--add", HERE / "in_lab.sh", "--add", path]
    # The script's own output goes to stderr; stdout carries the results alone.
    in_lab = "mkdir results && KVMBENCH=$0 sh -eu ./script >&2 && tar cz -C results ."
    done = subprocess.run(
        [LAB, "--retry-standstill", *options, *added, "--", "sh", "-c", in_lab, KVMBENCH],
        cwd=path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the lab exited with {done.returncode}: {done.stderr.decode(errors='replace')}")
    return Results(done.stdout)


class Results:
    """What each run of kvmbench in the lab left, by the name that the script gave it."""

    def __init__(self, archive):
        self._files = {}
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                if member.isfile():
                    self._files[os.path.normpath(member.name)] = tar.extractfile(member).read()

    def bytes(self, name):
        return self._files.get(name, b"")

    def text(self, name):
        return self.bytes(name).decode(errors="replace").replace("\r\n", "\n")

    def status(self, name):
        return int(self.text(f"{name}.status"))

    def report(self, name):
        return json.loads(self.text(f"{name}.json"))

    def everything(self, name):
        """For the message of an assertion that fails."""
        return "\n".join(f"{part}: {self.text(f'{name}.{part}')}" for part in ("status", "out", "err"))


class GuestRuns:
    """Checks of what several runs of a guest have printed, one for each of OPTIONS; a mixin of test cases."""

    OPTIONS = ()
    results = None

    def subtests(self, check):
        """Calls check(output, run) for each run of a guest."""
        for run, options in enumerate(self.OPTIONS):
            with self.subTest(options=options):
                try:
                    check("\n" + self.results.text(f"{run}.out"), run)
                except AssertionError as error:
                    raise AssertionError(f"{error}\n{self.results.everything(run)}") from None


def print_from_cache(*arguments, check):
    return subprocess.run([LAB, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=check)


def main():
    """Runs the calling file's tests; exits with SKIPPED, saying why, where the lab cannot run."""
    if not KVMBENCH:
        sys.exit("set KVMBENCH to the program to be tested")
    printed = print_from_cache("--print-kernel", check=False)
    if printed.returncode != 0:
        print(f"skipped: {printed.stderr.strip()}")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)


def kernel(flavour="cloud"):
    """The path of a Debian kernel, a bzImage: the cloud one is what the lab itself boots by default."""
    return print_from_cache("--flavour", flavour, "--print-kernel", check=True).stdout.strip()


def modules(*names, flavour="generic"):
    """The paths of that kernel's modules (.ko) and of those they depend on, in the order in which to load them."""
    printed = print_from_cache("--flavour", flavour, "--print-modules", *names, check=True)
    return [pathlib.Path(line) for line in printed.stdout.splitlines()]
