#!/usr/bin/env python3
"""extract_vmlinux.py BZIMAGE VMLINUX: writes the ELF kernel that a Linux bzImage carries compressed.

The setup header (Linux, Documentation/x86/boot.rst, "The Real-Mode Kernel Header") says where it is: payload_offset,
counted from the start of the protected-mode code, and payload_length. The kernel's build appends the length of the
uncompressed kernel to each payload whose format does not end with it itself (scripts/Makefile.lib, size_append).
"""

import struct
import subprocess
import sys

SETUP_SECTS = 0x1F1
HEADER_MAGIC = 0x202
VERSION = 0x206
PAYLOAD = 0x248  # payload_offset, payload_length; from protocol 2.08 on

# The payload's first bytes, the command that decompresses it, and whether the kernel's build appended its length.
FORMATS = [
    (b"\x02\x21\x4c\x18", ["lz4", "-dc"], True),
    (b"\x28\xb5\x2f\xfd", ["zstd", "-dc"], True),
    (b"\xfd7zXZ\0", ["xz", "-dc"], True),
    (b"\x1f\x8b", ["gzip", "-dc"], False),
]


def payload(image):
    version = struct.unpack_from("<H", image, VERSION)[0]
    if image[HEADER_MAGIC : HEADER_MAGIC + 4] != b"HdrS" or version < 0x208:
        sys.exit("not a bzImage of boot protocol 2.08 or later")
    offset, length = struct.unpack_from("<II", image, PAYLOAD)
    start = ((image[SETUP_SECTS] or 4) + 1) * 512 + offset
    return image[start : start + length]


def decompressed(packed):
    for magic, command, length_appended in FORMATS:
        if packed.startswith(magic):
            if length_appended:
                packed = packed[:-4]
            return subprocess.run(command, input=packed, stdout=subprocess.PIPE, check=True).stdout
    sys.exit(f"a payload of unknown compression, which begins with {packed[:8].hex()}")


def main(bzimage, vmlinux):
    with open(bzimage, "rb") as file:
        packed = payload(file.read())
    kernel = decompressed(packed)
    expected = struct.unpack("<I", packed[-4:])[0]
    if not kernel.startswith(b"\x7fELF") or len(kernel) != expected:
        sys.exit(f"the payload gave {len(kernel)} bytes, {kernel[:4].hex()}..., not an ELF file of {expected}")
    with open(vmlinux, "wb") as file:
        file.write(kernel)


if __name__ == "__main__":
    main(*sys.argv[1:])
