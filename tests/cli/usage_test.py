#!/usr/bin/env python3
"""Arguments: help with examples for every command, and one line and status 2 for what cannot be used. No /dev/kvm is
needed."""

import os

import program

COMMANDS = ["run", "report", "compare", "merge", "host", "guests"]


class Help(program.Case):
    def test_every_help_has_examples_and_ends_with_0(self):
        for arguments in ([], *([command] for command in COMMANDS)):
            for option in ("--help", "-h"):
                with self.subTest(arguments=arguments, option=option):
                    done = self.run_program(*arguments, option)
                    self.expect(done, 0)
                    self.assertEqual(done.err, "")
                    self.assertIn(b"\nExamples:\n  kvmbench ", done.out)

    def test_the_help_names_every_command(self):
        out = self.run_program("--help").out.decode()
        for command in COMMANDS:
            self.assertRegex(out, rf"(?m)^  {command} ")

    def test_the_help_of_run_tells_every_exit_status(self):
        out = self.run_program("run", "--help").out.decode()
        self.assertRegex(out, r"Exit status:(?s:.*)0(?s:.*)2 usage(?s:.*)4 host(?s:.*)5(?s:.*)6(?s:.*)124(?s:.*)128\+n")

    def test_no_line_of_help_is_too_wide_for_a_page(self):
        for arguments in ([], *([command] for command in COMMANDS)):
            lines = self.run_program(*arguments, "--help").out.decode().splitlines()
            self.assertLessEqual(max(map(len, lines)), 115)

    def test_the_version_is_one_line(self):
        done = self.run_program("--version")
        self.expect(done, 0)
        self.assertRegex(done.out, rb"\Akvmbench \d+\.\d+\.\d+\n\Z")

    def test_the_built_in_guests_are_listed(self):
        done = self.run_program("guests")
        self.expect(done, 0)
        for guest in ("@hello", "@mix", "@exits", "@idle", "@smp", "@disk", "@net", "@share", "@pace", "@crash", "@spin"):
            self.assertIn(f"{guest} ".encode(), done.out)


class Refused(program.Case):
    def refuse(self, *arguments):
        """Is refused with the option, or else the last word, named; an old report stays as it was."""
        old = self.file("report", b"old")
        options = ["--report-file", old] if arguments[:1] == ("run",) else []
        done = self.run_program(*arguments, *options)
        self.expect_refusal(done, 2)
        self.assertEqual(old.read_bytes(), b"old")
        self.assertEqual(os.listdir(self.path), ["report"])
        return done.err

    def test_no_command_is_answered_by_those_there_are(self):
        error = self.refuse()
        for command in COMMANDS:
            self.assertIn(command, error)

    def test_unknown_commands_and_arguments_are_named(self):
        for arguments in (["frob"], ["--frob"], ["host", "frob"], ["guests", "--frob"], ["run", "@hello", "--frob"]):
            with self.subTest(arguments=arguments):
                error = self.refuse(*arguments)
                self.assertIn("frob", error)
                self.assertIn("--help", error)

    def test_a_second_image_is_named(self):
        self.assertIn("@mix", self.refuse("run", "@hello", "@mix"))

    def test_run_needs_an_image(self):
        self.assertIn("image", self.refuse("run"))

    def test_a_value_that_an_option_does_not_take_is_refused_with_the_option_named(self):
        for option, *values in (
            ("--mode", "8", "", "128", "long"),
            ("--irqchip", "partly", "", "0", "FULL"),
            ("--report", "pdf", "", "text,pdf", "TEXT"),
            ("--cpus", "many", "-1", "", "1.5", "99999999999"),
            ("--mem", "lots", "", "1.5G", "99999999999999999999", "10Q"),
            ("--timeout", "soon", "", "-5s", "0", "1e300", "1e999", "nan", "inf", "10d", "99999999999h", "1us"),
            ("--interval", "often", "", "-1s", "0s", "1us", "1e300"),
        ):
            for value in values:
                with self.subTest(option=option, value=value):
                    self.assertIn(f"{option}", self.refuse("run", "@hello", f"{option}={value}"))

    def test_an_option_without_its_value_is_refused(self):
        for option in ("--mem", "--cmdline", "--initrd", "--report-file", "--timeout"):
            with self.subTest(option=option):
                done = self.run_program("run", "@hello", option)
                self.expect_refusal(done, 2, option)

    def test_options_that_need_another_are_refused_without_it(self):
        for option in (["--entry", "0x1000"], ["--load-address", "0x1000"]):
            with self.subTest(option=option[0]):
                self.assertIn("--mode", self.refuse("run", "@hello", *option))
        self.assertIn("--interval", self.refuse("run", "@hello", "--interval-file", "lines"))

    def test_addresses_are_numbers(self):
        for value in ("here", "-1", "", "0x", "0x1g", "99999999999999999999"):
            with self.subTest(value=value):
                self.refuse("run", "@hello", "--mode", "64", f"--load-address={value}")

    def test_an_option_that_counts_once_is_refused_twice(self):
        self.assertIn("--mem", self.refuse("run", "@hello", "--mem", "1G", "--mem", "2G"))

    def test_more_report_files_than_reports_are_refused(self):
        for reports in (["--report", "none"], ["--report", "json", "--report-file", "a"], ["--report-file", "a"]):
            with self.subTest(reports=reports):
                self.assertIn("--report-file", self.refuse("run", "@hello", *reports))


class Output(program.Case):
    def test_output_that_cannot_be_written_is_told(self):
        for arguments in (["--help"], ["--version"], ["guests"], ["run", "--help"]):
            with self.subTest(arguments=arguments), open("/dev/full", "wb") as full:
                done = self.run_program(*arguments, stdout=full)
                self.expect_refusal(done, 4, "stdout", "No space left on device")

    def test_an_error_that_cannot_be_told_still_has_its_status(self):
        with open("/dev/full", "wb") as full:
            self.expect(self.run_program("run", "@hello", "--frob", stderr=full), 2)
        self.expect(self.shell('exec "$0" run @hello --frob 2>&-'), 2)


if __name__ == "__main__":
    program.main()
