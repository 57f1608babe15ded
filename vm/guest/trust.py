"""Which images are trusted: those that a release signed, and those that this computer built for this person.

An image is built here where its `built.json` names this computer and this very manifest, and all of it belongs to the
person who uses it (or to the system's own root) with nobody else allowed to write to it.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

import msgspec

from vm.errors import ImageDamaged, ImageUnsigned
from vm.guest import signing
from vm.guest.manifest import FILES, MANIFEST, SIGNATURE, Manifest, check, decode

BUILT = "built.json"
_COMPUTER_FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


class Built(msgspec.Struct, frozen=True):
    """Who built an image: the computer (a digest of its own id) and the manifest that it wrote (its SHA-256)."""

    computer: str
    manifest: str


def mark_built(folder: Path) -> None:
    """Say that the image in this folder was built here."""
    text = (folder / MANIFEST).read_bytes()
    said = msgspec.json.encode(Built(_computer(), hashlib.sha256(text).hexdigest()))
    (folder / BUILT).write_bytes(said + b"\n")


def trusted(folder: Path, keys: Sequence[bytes]) -> Manifest:
    """The manifest of an image that may be used, its files compared with it.

    Raises ImageUnsigned where nobody vouches for it, ImageUnreadable, ImageDamaged.
    """
    try:
        text = (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise ImageDamaged(MANIFEST, error.strerror or "cannot be read") from error
    if (folder / SIGNATURE).exists():
        signing.verify(text, (folder / SIGNATURE).read_bytes(), keys)
    else:
        _require_built(folder, text)
    manifest = decode(text)
    for name in FILES:
        check(folder / name, name, manifest.file(name))
    return manifest


def _require_built(folder: Path, text: bytes) -> None:
    try:
        built = msgspec.json.decode((folder / BUILT).read_bytes(), type=Built)
    except FileNotFoundError as error:
        raise ImageUnsigned("there is no signature, and it was not built here") from error
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ImageUnsigned(f"there is no signature, and {BUILT} cannot be read") from error
    if built.computer != _computer():
        raise ImageUnsigned("there is no signature, and it was built on another computer")
    if built.manifest != hashlib.sha256(text).hexdigest():
        raise ImageUnsigned("there is no signature, and its manifest is not the one that was built here")
    for path in (folder, *(folder / name for name in (*FILES, MANIFEST, BUILT))):
        if not _ours_alone(path):
            raise ImageUnsigned(f"there is no signature, and others may change {path.name}")


def _ours_alone(path: Path) -> bool:
    """Whether only this person, or root, may write there. Windows keeps a person's folders to them."""
    if sys.platform == "win32":
        return True
    try:
        found = path.stat()
    except OSError:
        return True  # What is missing is told by its name later.
    return found.st_uid in (os.getuid(), 0) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _computer() -> str:
    """The same for every program of this computer, and no other's; the id itself is told to nobody."""
    for path in _COMPUTER_FILES:
        try:
            found = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if found:
            return _digest(found)
    return _digest(f"{uuid.getnode():x}")


def _digest(known: str) -> str:
    return hashlib.sha256(f"pilothouse image built on {known}".encode()).hexdigest()
