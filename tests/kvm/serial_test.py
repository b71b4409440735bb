#!/usr/bin/env python3
"""The guest's serial port and the host's side of it: standard streams, terminal, file, socket, pseudoterminal."""


import os
import pty
import re
import select
import socket
import stat
import termios
import time

import machine
import program

# Sends the byte that came back, until a newline: then status 7.
#   l: mov dx,0x3fd; in al,dx; test al,1; jz l; mov dx,0x3f8; in al,dx; out dx,al; cmp al,'\n'; jne l; mov al,7; out 0xf4,al
ECHO = "66bafd03 ec a801 74f7 66baf803 ec ee 3c0a 75ed b007 e6f4"
ECHO_STATUS = 7
# For ever.
ECHO_ALL = "66bafd03 ec a801 74f7 66baf803 ec ee ebef"
# mov dx,0x2f8 / 0xe9 / 0x402; mov al,'2'; out dx,al; status 0
WRITE = "66ba{} b032 ee b000 e6f4"

NEVER = ["--timeout", "60s"]


class Case(machine.Case):
    def echo(self, *arguments, code=ECHO, **options):
        image = self.file("echo.bin", bytes.fromhex(code))
        return self.start("run", image, "--mode", "64", "--report", "none", *NEVER, *arguments, **options)

    def write(self, port, *arguments):
        code = WRITE.format(port.to_bytes(2, "little").hex())
        return self.raw(code, *arguments)

    def notice(self, process):
        """Where the serial port is, which kvmbench says once it is there."""
        return re.match(rb"kvmbench: uart0: serial port at (.*)\n", process.stderr.readline())[1].decode()


class Streams(Case):
    def test_stdin_reaches_the_guest_and_its_answer_stdout(self):
        done = self.finish(self.echo(stdin=program.subprocess.PIPE), b"a line\n")
        self.expect(done, ECHO_STATUS)
        self.assertEqual(done.out, b"a line\n")

    def test_every_byte_of_a_long_input_arrives(self):
        text = bytes(byte for byte in range(256) if byte != ord("\n")) * 40 + b"\n"
        done = self.finish(self.echo(stdin=program.subprocess.PIPE), text)
        self.expect(done, ECHO_STATUS)
        self.assertEqual(done.out, text)

    def test_the_end_of_stdin_does_not_end_the_guest(self):
        done = self.account("@hello", given=b"")
        self.expect(done, 0)

    def test_the_second_port_and_the_debug_consoles_have_their_own_places(self):
        for port, first, second in ((0x3F8, b"2", b""), (0x2F8, b"", b"2"), (0xE9, b"2", b""), (0x402, b"2", b"")):
            with self.subTest(port=hex(port)):
                done = self.write(port, "--serial2", "file:second")
                self.expect(done, 0)
                self.assertEqual((done.out, (self.path / "second").read_bytes()), (first, second))

    def test_null_takes_everything(self):
        done = self.write(0x3F8, "--serial", "null")
        self.expect(done, 0)
        self.assertEqual(done.out, b"")


class Files(Case):
    def test_a_file_gets_exactly_what_the_guest_writes_and_nothing_older(self):
        self.file("out", b"what was there before, longer than what comes")
        done = self.account("@hello", "--serial", "file:out")
        self.expect(done, 0)
        self.assertEqual(done.out, b"")
        self.assertEqual((self.path / "out").read_bytes(), b"Hello from inside the virtual machine.\r\n")

    def test_a_file_that_cannot_be_written_is_refused(self):
        for name in ("/nonexistent/out", self.path):
            with self.subTest(name=name):
                self.expect_refusal(self.run_program("run", "@hello", "--serial", f"file:{name}"), 2, str(name))

    def test_an_unknown_place_is_refused(self):
        self.expect_refusal(self.run_program("run", "@hello", "--serial", "tcp:1"), 2, "tcp:1", "unix:PATH")


class Sockets(Case):
    def test_a_client_of_the_socket_is_the_serial_port(self):
        process = self.echo("--serial", "unix:socket")
        self.assertEqual(self.notice(process), "socket")
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(program.PATIENCE)
            client.connect(os.fspath(self.path / "socket"))
            client.sendall(b"by a socket\n")
            received = b"".join(iter(lambda: client.recv(100), b""))
        self.expect(self.finish(process), ECHO_STATUS)
        self.assertEqual(received, b"by a socket\n")
        self.assertFalse((self.path / "socket").exists())

    def test_a_client_may_leave_and_another_come(self):
        process = self.echo("--serial", "unix:socket", code=ECHO_ALL)
        self.notice(process)
        for text in (b"first", b"second"):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(program.PATIENCE)
                client.connect(os.fspath(self.path / "socket"))
                client.sendall(text)
                received = b""
                while len(received) < len(text):
                    received += client.recv(100)
                self.assertEqual(received, text)

    def test_a_file_that_is_no_socket_is_left_alone(self):
        path = self.file("socket", b"mine")
        self.expect_refusal(self.run_program("run", "@hello", "--serial", "unix:socket"), 2, "socket")
        self.assertEqual(path.read_bytes(), b"mine")


class Pseudoterminals(Case):
    def test_the_named_pseudoterminal_is_the_serial_port(self):
        process = self.echo("--serial", "pty")
        name = self.notice(process)
        self.assertTrue(stat.S_ISCHR(os.stat(name).st_mode))
        client = os.open(name, os.O_RDWR | os.O_NOCTTY)
        try:
            os.write(client, b"by a pty\n")
            received = b""
            while not received.endswith(b"\n"):
                self.assertTrue(select.select([client], [], [], program.PATIENCE)[0])
                received += os.read(client, 100)
        finally:
            os.close(client)
        self.assertEqual(received, b"by a pty\n")
        self.expect(self.finish(process), ECHO_STATUS)


class Terminal(Case):
    """kvmbench on a terminal of its own, as a user has it."""

    def setUp(self):
        super().setUp()
        self.master, self.slave = pty.openpty()
        self.addCleanup(os.close, self.master)
        self.addCleanup(os.close, self.slave)
        self.before = termios.tcgetattr(self.slave)
        self.shown = b""

    def on_terminal(self, *arguments, code=ECHO_ALL):
        image = self.file("echo.bin", bytes.fromhex(code))
        command = ["setsid", "--ctty", program.KVMBENCH, "run", os.fspath(image), "--mode", "64", *NEVER, *arguments]
        return self.start_command(
            command, stdin=self.slave, stdout=self.slave, stderr=self.slave, env={"TERM": "xterm", "NO_COLOR": ""}
        )

    def see(self, text, process):
        """Waits until the terminal has shown the text."""
        limit = time.monotonic() + program.PATIENCE
        while text not in self.shown:
            self.assertLess(time.monotonic(), limit, self.shown)
            if select.select([self.master], [], [], 0.05)[0]:
                self.shown += os.read(self.master, 4096)
            elif process.poll() is not None:
                self.fail(f"ended with {process.returncode}: {self.shown}")

    def drain(self, process):
        """Waits for the end, the terminal being read on."""
        limit = time.monotonic() + program.PATIENCE
        while process.poll() is None or select.select([self.master], [], [], 0)[0]:
            self.assertLess(time.monotonic(), limit, self.shown)
            if select.select([self.master], [], [], 0.05)[0]:
                self.shown += os.read(self.master, 4096)
        return process.returncode

    def test_ctrl_a_x_leaves_with_status_0_and_restores_the_terminal(self):
        process = self.on_terminal()
        self.see(b"Ctrl-a x leaves", process)
        os.write(self.master, b"typed")
        self.see(b"typed", process)
        self.assertNotEqual(termios.tcgetattr(self.slave), self.before)
        os.write(self.master, b"\x01x")
        self.assertEqual(self.drain(process), 0, self.shown)
        self.assertEqual(termios.tcgetattr(self.slave), self.before)
        self.assertIn(b"left by Ctrl-a x", self.shown)

    def test_ctrl_c_is_the_guests_and_ctrl_a_ctrl_a_sends_one_ctrl_a(self):
        process = self.on_terminal("--report", "none")
        self.see(b"Ctrl-a x leaves", process)
        os.write(self.master, b"<\x03\x04\x1a\x01\x01>")
        self.see(b"<\x03\x04\x1a\x01>", process)
        os.write(self.master, b"\x01x")
        self.assertEqual(self.drain(process), 0, self.shown)

    def test_the_terminal_is_restored_however_the_run_ends(self):
        ends = {
            "the guest": (ECHO, lambda process: os.write(self.master, b"\n"), ECHO_STATUS),
            "SIGTERM": (ECHO_ALL, lambda process: process.terminate(), 143),
            # ud2 at the first byte that is typed
            "a triple fault": ("66bafd03 ec a801 74f7 0f0b", lambda process: os.write(self.master, b"!"), 5),
        }
        for name, (code, end, status) in ends.items():
            with self.subTest(end=name):
                self.shown = b""
                process = self.on_terminal("--report", "none", code=code)
                self.see(b"Ctrl-a x leaves", process)
                end(process)
                self.assertEqual(self.drain(process), status, self.shown)
                self.assertEqual(termios.tcgetattr(self.slave), self.before)

    def test_a_report_on_a_terminal_is_coloured_unless_NO_COLOR_says_otherwise(self):
        process = self.on_terminal(code="b000 e6f4")
        self.assertEqual(self.drain(process), 0)
        self.assertIn(b"\x1b[", self.shown)
        self.assertIn(b"as many as KVM_RUN returned", self.shown)


if __name__ == "__main__":
    machine.main()
