#!/usr/bin/env python3
"""cmake --install puts the program, its manual page, the guests and the shell completion in their places.

BUILD in the environment names the directory of the build.
"""

import os
import pathlib
import subprocess
import tempfile

import program


class Install(program.Case):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory(prefix="kvmbench-install.")
        cls.addClassCleanup(directory.cleanup)
        cls.prefix = pathlib.Path(directory.name)
        command = ["cmake", "--install", os.environ["BUILD"], "--prefix", directory.name]
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)

    def installed(self, pattern):
        return sorted(path.name for path in self.prefix.glob(pattern))

    def test_the_program_runs_from_where_it_is_installed(self):
        command = [self.prefix / "bin" / "kvmbench", "--version"]
        done = self.finish(self.start_command(command))
        self.expect(done, 0)
        self.assertEqual(done.out, self.run_program("--version").out)

    def test_the_manual_page_is_found_by_its_section(self):
        self.assertEqual(self.installed("share/man/man1/*"), ["kvmbench-guest.1", "kvmbench.1"])

    def test_every_guest_is_there_as_an_elf_file(self):
        guests = {word[1:] for word in self.run_program("guests").out.decode().split() if word.startswith("@")}
        files = list(self.prefix.glob("**/*.elf"))
        self.assertEqual({path.stem for path in files}, guests)
        for path in files:
            self.assertEqual(path.read_bytes()[:4], b"\x7fELF")

    def test_the_completion_is_where_bash_looks_for_it(self):
        self.assertEqual(self.installed("share/bash-completion/completions/*"), ["kvmbench"])


if __name__ == "__main__":
    program.main()
