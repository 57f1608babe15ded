"""The few facts of ELF files that the recipe needs: which libraries a program asks for, what a kernel module says."""

from __future__ import annotations

import struct
from collections.abc import Iterator

PT_LOAD, PT_DYNAMIC = 1, 2
DT_NEEDED, DT_STRTAB = 1, 5


def is_elf(content: bytes) -> bool:
    """Whether these bytes are a 64-bit little-endian ELF file."""
    return content[:6] == b"\x7fELF\x02\x01"


def needed(content: bytes) -> tuple[str, ...]:
    """The names of the libraries that the dynamic linker must find for this file."""
    segments = [struct.unpack_from("<IIQQQQ", content, at) for at in _table(content, 32, 54, 56)]
    loads = [(address, offset, size) for kind, _, offset, address, _, size in segments if kind == PT_LOAD]
    for kind, _, offset, _, _, size in segments:
        if kind == PT_DYNAMIC:
            pairs = [struct.unpack_from("<QQ", content, at) for at in range(offset, offset + size, 16)]
            table = next(value for tag, value in pairs if tag == DT_STRTAB)
            base = next(table - start + at for start, at, length in loads if start <= table < start + length)
            return tuple(_text(content, base + value) for tag, value in pairs if tag == DT_NEEDED)
    return ()


def module_facts(content: bytes) -> list[tuple[str, str]]:
    """What a kernel module says of itself in .modinfo: pairs such as ("alias", "fs-ext4")."""
    sections = [struct.unpack_from("<IIQQQQ", content, at) for at in _table(content, 40, 58, 60)]
    names = sections[struct.unpack_from("<H", content, 62)[0]][4]
    for name, _, _, _, offset, size in sections:
        if _text(content, names + name) == ".modinfo":
            parts = content[offset : offset + size].split(b"\0")
            pairs = (part.decode(errors="replace").partition("=") for part in parts if part)
            return [(key, value) for key, _, value in pairs]
    return []


def _table(content: bytes, where: int, entry: int, count: int) -> Iterator[int]:
    """The offsets of a table's entries; the header tells its place, and how large and many the entries are."""
    (start,) = struct.unpack_from("<Q", content, where)
    size, many = (struct.unpack_from("<H", content, at)[0] for at in (entry, count))
    return iter(range(start, start + size * many, size))


def _text(content: bytes, at: int) -> str:
    return content[at : content.index(b"\0", at)].decode()
