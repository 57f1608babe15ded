"""Which processor a program file was built for, read from its first bytes."""

from __future__ import annotations

import struct
from pathlib import Path

_ELF = {62: "x86_64", 183: "aarch64", 3: "i386", 40: "arm", 243: "riscv"}
_PE = {0x8664: "x86_64", 0xAA64: "aarch64", 0x014C: "i386", 0x01C4: "arm"}
_MACH = {0x01000007: "x86_64", 0x0100000C: "aarch64", 7: "i386"}
_FAT_LIMIT = 16


def built_for(path: Path) -> frozenset[str]:
    """The processors that a file of ELF, Mach-O (one or several) or PE runs on; empty for anything else, as a script.

    Sources: elf(5), mach-o/loader.h and mach-o/fat.h, Microsoft's "PE Format".
    """
    with open(path, "rb") as file:
        head = file.read(4096)
    try:
        return frozenset(_arches(head))
    except (struct.error, IndexError):  # Shorter than its kind can be.
        return frozenset()


def _arches(head: bytes) -> list[str]:
    if head[:4] == b"\x7fELF":
        order = "<" if head[5] == 1 else ">"
        (machine,) = struct.unpack_from(order + "H", head, 18)
        return [_ELF.get(machine, f"ELF {machine}")]
    if head[:4] in (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe"):
        (machine,) = struct.unpack_from("<I", head, 4)
        return [_MACH.get(machine, f"Mach-O {machine}")]
    if head[:4] == b"\xca\xfe\xba\xbe":
        (count,) = struct.unpack_from(">I", head, 4)
        found = [struct.unpack_from(">I", head, 8 + 20 * i)[0] for i in range(count)] if count <= _FAT_LIMIT else []
        return [_MACH.get(machine, f"Mach-O {machine}") for machine in found]
    if head[:2] == b"MZ":
        (at,) = struct.unpack_from("<I", head, 0x3C)
        if head[at : at + 4] == b"PE\0\0":
            (machine,) = struct.unpack_from("<H", head, at + 4)
            return [_PE.get(machine, f"PE {machine:#x}")]
    return []
