#!/usr/bin/env python3
"""Disks of both models under the built-in guest @disk, which compares what it reads with what it wrote; image files."""

import pathlib
import resource
import signal

import machine

USAGE = 2  # also for an image that cannot be used
MIB = 1 << 20
MODELS = {"ata": "ata0", "virtio": "virtio-blk0"}
# Waits for ever on the host's side, so that the image stays in use: @spin causes no exit.
HOLD = ["run", "@spin", "--report", "none", "--timeout", "60s"]


class Case(machine.Case):
    def image(self, name="disk.img", size=MIB):
        path = self.file(name)
        with open(path, "r+b") as file:
            file.truncate(size)
        return path

    def work(self, model, options, disk):
        return self.account("@disk", "--cmdline", f"model={model} {options}", "--disk", f"{disk},model={model}")

    def done_by(self, done, device):
        """The device's operations by name."""
        (found,) = [one for one in done.report["operations"] if one["device"] == device]
        return {count["name"]: count["count"] for count in found["counts"]}


class Data(Case):
    def test_what_is_written_is_read_back_and_is_in_the_image(self):
        for model, device in MODELS.items():
            with self.subTest(model=model):
                image = self.image(f"{model}.img")
                done = self.work(model, "n=8 size=4096", image)
                self.expect(done, 0)
                operations = self.done_by(done, device)
                self.assertEqual(operations["bytes written"], 8 * 4096)
                self.assertEqual(operations["bytes read"], 8 * 4096)
                self.assertEqual(operations["flushes"], 1)
                content = image.read_bytes()
                self.assertEqual(len(content), MIB)
                self.assertTrue(all(any(content[at : at + 512]) for at in range(0, 8 * 4096, 512)))
                self.assertFalse(any(content[8 * 4096 :]))

    def test_past_the_page_cache_and_with_several_requests_at_once_as_well(self):
        for options in ("depth=8", "depth=32 ring=packed", "wait=irq"):
            with self.subTest(options=options):
                image = self.image("virtio.img", 8 * MIB)
                disk = f"{image},cache=none" if self.has_direct_io() else str(image)
                disk += ",ring=packed" if "packed" in options else ""
                self.expect(self.work("virtio", f"n=64 access=random {options}", disk), 0)

    def has_direct_io(self):
        probe = self.image("probe", 4096)
        done = self.run_program("run", "@hello", "--report", "none", "--disk", f"{probe},cache=none")
        if done.status != 0:
            self.assertIn("O_DIRECT", done.err)
        return done.status == 0

    def test_a_read_only_disk_stays_as_it_was(self):
        for model in MODELS:
            with self.subTest(model=model):
                image = self.image(f"{model}.img")
                done = self.work(model, "op=write n=2", f"{image},readonly")
                self.assertNotEqual(done.status, 0, done)
                self.assertFalse(any(image.read_bytes()))


class Images(Case):
    def hold(self, disk):
        process = self.start(*HOLD, "--disk", disk)
        self.wait_until(lambda: self.runs(process), process)
        return process

    def runs(self, process):
        """Whether the guest runs already."""
        threads = pathlib.Path(f"/proc/{process.pid}/task").glob("*/comm")
        return any(thread.read_text() == "vcpu0\n" for thread in threads)

    def test_a_second_writer_is_refused(self):
        image = self.image()
        self.hold(str(image))
        for option in ("", ",readonly", ",model=virtio"):
            done = self.run_program("run", "@hello", "--disk", f"{image}{option}")
            self.expect_refusal(done, USAGE, str(image), "lock")

    def test_readers_share_an_image_and_keep_writers_out(self):
        image = self.image()
        self.hold(f"{image},readonly")
        self.expect(self.run_program("run", "@hello", "--report", "none", "--disk", f"{image},readonly"), 0)
        self.expect_refusal(self.run_program("run", "@hello", "--disk", image), USAGE, "lock")

    def test_one_machine_cannot_have_an_image_twice_but_for_reading(self):
        image = self.image()
        twice = ["--disk", image, "--disk", image]
        self.expect_refusal(self.run_program("run", "@hello", *twice), USAGE, "lock")
        twice = ["--disk", f"{image},readonly", "--disk", f"{image},readonly"]
        self.expect(self.run_program("run", "@hello", "--report", "none", *twice), 0)

    def test_what_cannot_be_a_disk_is_refused(self):
        self.file("odd", b"x" * 513)
        self.file("empty")
        refused = {
            "missing": "No such file",
            ".": "neither a regular file",
            "/dev/null": "neither a regular file",
            "odd": "513 bytes",
            "empty": "it is empty",
            f"{self.image()},model=scsi": "ata, virtio",
            f"{self.image()},queues=4": "queues",
            f"{self.image()},model=virtio,queues=0": "from 1 to 16",
            f"{self.image()},serial={'x' * 21}": "20 characters",
            "readonly=on": "it begins with the image",
        }
        for disk, why in refused.items():
            with self.subTest(disk=disk):
                self.expect_refusal(self.run_program("run", "@hello", "--disk", disk), USAGE, why)

    def test_a_fifth_ata_disk_is_refused(self):
        disks = [part for number in range(5) for part in ("--disk", self.image(f"{number}.img"))]
        self.expect_refusal(self.run_program("run", "@hello", *disks), USAGE, "model=virtio")

    def test_what_the_host_could_not_do_is_told_at_the_end(self):
        image = self.image()
        done = self.run_program(
            "run", "@disk", "--report", "none", "--cmdline", "model=virtio op=write n=2", "--disk", f"{image},model=virtio",
            preexec_fn=limit_file_size,
        )
        self.assertNotEqual(done.status, 0, done)
        self.assertIn("disk0:", done.err)
        self.assertIn("File too large", done.err)


def limit_file_size():
    """Writes past the first sector fail, as on a full file system."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


if __name__ == "__main__":
    machine.main()
