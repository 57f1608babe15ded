"""Reading Debian packages: the files of a .deb without dpkg and without root."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator

AR_MAGIC = b"!<arch>\n"


def members(package: bytes) -> Iterator[tuple[str, bytes]]:
    """The parts of an ar archive by name; raises ValueError where it is none."""
    if not package.startswith(AR_MAGIC):
        raise ValueError("not a Debian package")
    at = len(AR_MAGIC)
    while at + 60 <= len(package):
        name, size = package[at : at + 16].decode().strip().rstrip("/"), int(package[at + 48 : at + 58])
        yield name, package[at + 60 : at + 60 + size]
        at += 60 + size + size % 2


def files(package: bytes) -> Iterator[tuple[str, tarfile.TarInfo, bytes]]:
    """Every entry of a package: its path without a leading `./`, its header, its content (empty but for files)."""
    for name, content in members(package):
        if not name.startswith("data.tar"):
            continue
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:*") as tar:
            for entry in tar:
                stream = tar.extractfile(entry) if entry.isreg() else None
                yield entry.name.removeprefix("./").rstrip("/"), entry, stream.read() if stream else b""
