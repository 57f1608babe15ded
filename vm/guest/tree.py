"""The file tree of an image, held in memory and written out as a tar or a cpio of one exact byte order."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO


@dataclass(frozen=True)
class Entry:
    """One name: a folder (content None), a file, or a link (target set)."""

    mode: int
    content: bytes | None = None
    target: str = ""


class Tree:
    """Paths without a leading slash; folders above a path are made as they are needed, all owned by root."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    def folder(self, path: str, mode: int = 0o755) -> None:
        """Make a folder, or give it another mode."""
        self._parents(path)
        self.entries[path] = Entry(mode)

    def file(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Put a file, in place of one that is there."""
        self._parents(path)
        self.entries[path] = Entry(mode, content)

    def link(self, path: str, target: str) -> None:
        """Put a symbolic link."""
        self._parents(path)
        self.entries[path] = Entry(0o777, target=target)

    def _parents(self, path: str) -> None:
        for parent in list(PurePosixPath(path).parents)[:-1]:
            found = self.entries.setdefault(str(parent), Entry(0o755))
            if found.content is not None or found.target:
                raise ValueError(f"{path}: {parent} is no folder")

    def content(self, path: str) -> bytes | None:
        """What a name holds, its links followed; None where nothing is there."""
        for _ in range(8):
            entry = self.entries.get(path)
            if entry is None or not entry.target:
                return entry.content if entry else None
            path = _resolved(path, entry.target)
        return None

    def __iter__(self) -> Iterator[tuple[str, Entry]]:
        return iter(sorted(self.entries.items()))

    def write_tar(self, out: IO[bytes], when: int) -> None:
        """A tar stream, sorted, with every time equal to `when` (seconds since 1970)."""
        with tarfile.open(fileobj=out, mode="w|", format=tarfile.GNU_FORMAT) as tar:
            for path, entry in self:
                header = tarfile.TarInfo(path)
                header.mode, header.mtime = entry.mode, when
                if entry.target:
                    header.type, header.linkname = tarfile.SYMTYPE, entry.target
                elif entry.content is None:
                    header.type = tarfile.DIRTYPE
                else:
                    header.size = len(entry.content)
                tar.addfile(header, io.BytesIO(entry.content or b""))

    def cpio(self) -> bytes:
        """The tree as an initramfs of the kernel (cpio "newc"), sorted, with every time zero."""
        out = io.BytesIO()
        for number, (path, entry) in enumerate((*self, ("TRAILER!!!", Entry(0, b""))), 1):
            kind = 0o120000 if entry.target else 0o040000 if entry.content is None else 0o100000
            content = entry.target.encode() if entry.target else entry.content or b""
            name = path.encode() + b"\0"
            fields = (number, kind | entry.mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0)
            out.write(b"070701" + b"".join(b"%08X" % field for field in fields) + name)
            out.write(b"\0" * (-out.tell() % 4) + content)
            out.write(b"\0" * (-out.tell() % 4))
        return out.getvalue()


def _resolved(path: str, target: str) -> str:
    parts: list[str] = [] if target.startswith("/") else list(PurePosixPath(path).parent.parts)
    for part in PurePosixPath(target.lstrip("/")).parts:
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
