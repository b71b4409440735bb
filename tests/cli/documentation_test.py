#!/usr/bin/env python3
"""The manual page and the shell completion have the options that the program has, and no others."""

import re

import program

MAN_PAGE = program.ROOT / "docs" / "kvmbench.1"
COMPLETION = program.ROOT / "completion" / "kvmbench.bash"
OF_ALL = {"--help", "--version"}


class Documentation(program.Case):
    def options_of(self, command):
        """Each long option with what its value is called, from the help's left column."""
        out = self.run_program(command, "--help").out.decode()
        options = dict(re.findall(r"(?m)^  (?:-\w,)?(--[\w-]+)(?: (\S+))?", out))
        self.assertIn("--help", options)
        return options

    def commands(self):
        out = self.run_program("--help").out.decode()
        return set(re.findall(r"(?m)^  (\w+) ", out[out.index("Subcommands:") : out.index("Examples:")]))

    def man_page(self):
        return MAN_PAGE.read_text().replace("\\-", "-")

    def complete(self, *words):
        """What bash offers for the last word."""
        script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _kvmbench; printf "%s\\n" "${COMPREPLY[@]}"'
        process = self.start_command(
            ["bash", "-c", script, "-", str(COMPLETION), "kvmbench", *words],
            env={"PATH": f"{self.path}:/usr/bin:/bin"},
        )
        done = self.finish(process)
        self.expect(done, 0)
        self.assertEqual(done.err, "")
        return set(done.out.decode().split())

    def test_every_option_has_its_paragraph_in_the_man_page(self):
        sections = dict(re.findall(r"(?ms)^\.SH OPTIONS OF (\w+)\n(.*?)(?=^\.SH )", self.man_page()))
        for command in self.commands():
            with self.subTest(command=command):
                text = sections.get(command.upper(), "")
                paragraphs = set(re.findall(r'(?m)^\.TP\n\.B\w* "?(?:-\w, )?(--[\w-]+)', text))
                self.assertEqual(paragraphs, set(self.options_of(command)) - OF_ALL)

    def test_the_man_page_names_no_option_that_there_is_not(self):
        named = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", self.man_page()))
        known = OF_ALL.union(*(self.options_of(command) for command in self.commands()))
        self.assertLessEqual(named, known)

    def test_the_man_page_has_every_command(self):
        synopsis = self.man_page().split(".SH SYNOPSIS")[1].split(".SH")[0]
        self.assertEqual(set(re.findall(r"\.B kvmbench (\w+)", synopsis)), self.commands())

    def test_the_man_page_formats_without_a_warning(self):
        done = self.finish(self.start_command(["man", "--warnings", "-l", str(MAN_PAGE)], env={"MANWIDTH": "80"}))
        if done.status == 127 or "minimized" in done.err:
            self.skipTest("there is no man program here")
        self.expect(done, 0)
        self.assertEqual(done.err, "")

    def test_the_completion_offers_every_option_and_no_other(self):
        for command in self.commands():
            with self.subTest(command=command):
                self.assertEqual(self.complete(command, "--"), set(self.options_of(command)))

    def test_the_completion_offers_every_command(self):
        self.assertEqual(self.complete(""), self.commands() | OF_ALL)

    def test_the_completion_offers_the_values_that_an_option_takes(self):
        for command in self.commands():
            for option, placeholder in self.options_of(command).items():
                if not re.fullmatch(r"[a-z0-9]+(\|[a-z0-9]+)+", placeholder):
                    continue
                with self.subTest(command=command, option=option):
                    self.assertEqual(self.complete(command, option, ""), set(placeholder.split("|")))

    def test_the_completion_offers_the_built_in_guests(self):
        (self.path / "kvmbench").symlink_to(program.KVMBENCH)
        listed = {word for word in self.run_program("guests").out.decode().split() if word.startswith("@")}
        self.assertEqual(self.complete("run", "@"), listed)
        self.assertEqual(self.complete("run", "@he"), {"@hello"})


if __name__ == "__main__":
    program.main()
