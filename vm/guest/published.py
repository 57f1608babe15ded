"""Where the images of a release are published, by which keys they are known, and how old they may be.

`release.json` says so. A release fills it (`python -m vm.guest release`); in the source tree it names nothing, and then
images are built here.
"""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncGenerator
from pathlib import Path

import msgspec

from vm.guest.fetching import Fetch

RELEASE = Path(__file__).with_name("release.json")
MIRROR = "PILOTHOUSE_IMAGES"
"""The environment may name another place for the same images; the keys stay those of the release."""


class Release(msgspec.Struct, frozen=True):
    """`base` is the address of a folder, `keys` are ed25519 public keys in base64, `at_least` the oldest version."""

    base: str = ""
    keys: tuple[str, ...] = ()
    at_least: str = "0"

    @property
    def public_keys(self) -> tuple[bytes, ...]:
        """Each of 32 bytes."""
        return tuple(base64.b64decode(each) for each in self.keys)


def release() -> Release:
    """What this release says. Raises OSError or ValueError where its file was damaged."""
    found = msgspec.json.decode(RELEASE.read_bytes(), type=Release)
    return msgspec.structs.replace(found, base=os.environ.get(MIRROR, "") or found.base)


def file_name(arch: str, name: str) -> str:
    """What a file of an image is called where all of them lie in one folder."""
    return f"pilothouse-machine-{arch}-{name}"


def source(base: str, arch: str) -> Fetch:
    """The files of an image as they are published at this address."""

    async def read(name: str, start: int) -> AsyncGenerator[bytes, None]:
        from backend import downloads

        async for piece in downloads.read(f"{base.rstrip('/')}/{file_name(arch, name)}", start):
            yield piece

    return read
