#!/usr/bin/env python3
"""A guest's network card and what it is connected to on the host: the echo, the sink, a socket, passt, a capture file.

The built-in guest @net sends frames, and ends with status 0 where each answer is what it has to be.
"""

import os
import shutil
import socket
import struct
import threading
import unittest

import machine
import program

CARD = bytes.fromhex("026b766d6200")
PEER = bytes.fromhex("020000000001")
BROADCAST = b"\xff" * 6
ARP, IP, UDP = 0x0806, 0x0800, 17
FRAMES = 40


def swap(frame, first, second, size):
    """The frame with two fields exchanged."""
    parts = bytearray(frame)
    parts[first : first + size], parts[second : second + size] = frame[second : second + size], frame[first : first + size]
    return bytes(parts)


def answer(frame):
    """What a station that sends UDP datagrams back answers; None where nothing. Checksums stay right."""
    kind = int.from_bytes(frame[12:14], "big")
    if kind == ARP and frame[20:22] == b"\0\1":
        sender, target = frame[22:32], frame[38:42]
        return frame[6:12] + PEER + frame[12:20] + b"\0\2" + PEER + target + sender
    if kind == IP and frame[23] == UDP:
        return swap(swap(frame[6:12] + frame[:6] + frame[12:], 26, 30, 4), 34, 36, 2)
    return None


class Peer:
    """Listens at a path, and answers on its one connection until that ends."""

    def __init__(self, path, limit=None):
        self.frames = []
        self._limit = limit  # hangs up after so many
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._listener.settimeout(program.PATIENCE)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def join(self):
        self._thread.join()
        self._listener.close()

    def _serve(self):
        with self._listener.accept()[0] as connection:
            stream = connection.makefile("rb")
            while len(self.frames) != self._limit and (prefix := stream.read(4)):
                (size,) = struct.unpack("!I", prefix)
                self.frames.append(stream.read(size))
                reply = answer(self.frames[-1])
                if reply:
                    framed = struct.pack("!I", len(reply)) + reply
                    # In two pieces: the stream has no borders.
                    connection.sendall(framed[:7])
                    connection.sendall(framed[7:])


def read_capture(path):
    """The frames of a capture file with nanoseconds, whose times must not go back."""
    content = path.read_bytes()
    magic, major, minor, _, _, snap_length, link_type = struct.unpack("<IHHIIII", content[:24])
    assert (magic, major, minor, link_type) == (0xA1B23C4D, 2, 4, 1)
    frames, at, last = [], 24, (0, 0)
    while at != len(content):
        seconds, nanoseconds, captured, original = struct.unpack_from("<IIII", content, at)
        assert captured == original <= snap_length and nanoseconds < 1e9 and (seconds, nanoseconds) >= last
        last = seconds, nanoseconds
        frames.append(content[at + 16 : at + 16 + captured])
        at += 16 + captured
    return frames


class Networks(machine.Case):
    def net(self, spec, *arguments, cmdline=""):
        done = self.account(
            "@net", "--net", spec, "--timeout", "60s", *arguments, "--cmdline", f"model=virtio n={FRAMES} {cmdline}"
        )
        devices = {device["device"]: device["counts"] for device in done.report["operations"]}
        done.operations = {count["name"]: count["count"] for count in devices["virtio-net0"]}
        return done

    def expect_operations(self, done, **expected):
        shown = {name: done.operations[name.replace("_", " ")] for name in expected}
        self.assertEqual(shown, expected)

    def test_the_echo_answers_each_kind_of_frame(self):
        for proto in ("udp", "icmp", "arp"):
            for options in ("", ",ring=packed", ",kick=exit"):
                with self.subTest(proto=proto, options=options):
                    done = self.net("echo,model=virtio" + options, cmdline=f"proto={proto} depth=4")
                    self.expect(done, 0)
                    # One more of each: the guest asks for the station's address first.
                    self.expect_operations(
                        done,
                        packets=2 * (FRAMES + 1),
                        packets_sent=FRAMES + 1,
                        packets_received=FRAMES + 1,
                        sends_dropped=0,
                        receives_dropped=0,
                    )

    def test_the_sink_takes_every_frame(self):
        done = self.net("sink", cmdline="op=send")
        self.expect(done, 0)
        self.expect_operations(done, packets_sent=FRAMES, packets_received=0, sends_dropped=0)

    def test_a_socket_carries_frames_behind_their_lengths(self):
        peer = Peer(self.path / "socket")
        done = self.net("socket=socket")
        peer.join()
        self.expect(done, 0)
        self.assertEqual(done.err, "")
        self.assertEqual(len(peer.frames), FRAMES + 1)
        self.assertEqual(peer.frames[0][:14], BROADCAST + CARD + ARP.to_bytes(2, "big"))
        self.assertEqual({frame[:12] for frame in peer.frames[1:]}, {PEER + CARD})
        self.expect_operations(done, bytes_sent=sum(map(len, peer.frames)), packets_received=FRAMES + 1)

    def test_a_peer_that_hangs_up_is_told_once_and_the_guest_goes_on(self):
        peer = Peer(self.path / "socket", limit=5)
        done = self.net("socket=socket")
        peer.join()
        self.assertNotEqual(done.status, 0)
        self.assertEqual(done.err.count("network socket 'socket'"), 1, done)
        self.assertIn("the link is down", done.err)

    def test_passt_answers_for_the_host(self):
        passt = shutil.which("passt")
        if passt is None:
            self.skipTest("there is no passt here (Debian's package passt)")
        path = self.path / "passt.socket"
        self.path.chmod(0o777)  # passt gives up being root
        options = ["-a", "192.0.2.2", "-g", "192.0.2.1", "-n", "24"]
        process = self.start_command([passt, "-f", "-s", str(path), *options])
        try:
            self.wait_until(path.exists, process)
        except AssertionError as error:
            self.skipTest(f"passt does not run here: {error}")
        done = self.net(f"socket={path}", cmdline="proto=arp")
        self.expect(done, 0)
        self.expect_operations(done, packets_sent=FRAMES + 1, sends_dropped=0)

    def test_each_frame_is_in_the_capture_file_in_the_order_it_passed(self):
        done = self.net("echo,pcap=frames.pcap,mac=02:00:00:00:00:42")
        self.expect(done, 0)
        frames = read_capture(self.path / "frames.pcap")
        card = bytes.fromhex("020000000042")
        self.assertEqual(len(frames), done.operations["packets"])
        self.assertEqual(sum(map(len, frames)), done.operations["bytes"])
        self.assertEqual([frame[6:12] for frame in frames[::2]], [card] * (FRAMES + 1))
        self.assertEqual([frame[:6] for frame in frames[1::2]], [card] * (FRAMES + 1))

    def test_a_kick_by_an_exit_is_counted_and_one_by_ioeventfd_is_not(self):
        notify = (machine.KVM_EXIT_MMIO, 0xD0000050, "write", 4)
        by_exit = self.net("echo,kick=exit")
        by_event = self.net("echo,kick=ioeventfd")
        rung = machine.counts(machine.keys_of(by_exit.report)).get(notify, 0)
        self.assertEqual(rung, by_exit.operations["doorbells"])
        self.assertGreaterEqual(rung, FRAMES)
        self.assertNotIn(notify, machine.counts(machine.keys_of(by_event.report)))
        self.assertGreaterEqual(by_event.operations["doorbells"], 1)

    def test_what_cannot_be_connected_is_an_error_of_use(self):
        self.file("file", b"precious")
        for spec, *parts in (
            ("tap=kvmbench-none", "there is no network interface", "ip tuntap add"),
            ("tap=lo", "lo"),
            ("socket=nobody", "'nobody'", "passt"),
            ("socket=file", "'file'"),
            ("echo,pcap=none/frames", "none/frames"),
            ("echo,pcap=/dev/null", "not a regular file"),
            ("echo,mac=01:00:00:00:00:00", "01:00:00:00:00:00"),
            ("echo,model=rtl8139", "rtl8139"),
            ("echo,sped=10", "there is no option sped"),
            ("hub", "hub"),
            ("model=virtio", "name one network"),
        ):
            with self.subTest(spec=spec):
                done = self.run_program("run", "@net", "--net", spec)
                self.expect_refusal(done, 4 if spec == "tap=lo" and not os.path.exists("/dev/net/tun") else 2, *parts)
        self.assertEqual((self.path / "file").read_bytes(), b"precious")

    @unittest.skipUnless(os.path.exists("/dev/net/tun"), "this host has no tap devices")
    def test_a_tap_device_that_the_user_may_not_use_is_an_error_of_the_host(self):
        done = self.run_as_nobody("run", "@net", "--net", "tap=lo")
        self.assertIn(done.status, (2, 4), done)
        self.assertRegex(done.err, r"\Akvmbench: [^\n]+\n\Z")


if __name__ == "__main__":
    machine.main()
