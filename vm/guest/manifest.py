"""The manifest of an image: what it is made of, what its files must be, and whether a folder holds exactly that."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from vm.errors import ImageDamaged, ImageTooOld, ImageUnreadable, ImageWrongArchitecture
from vm.guest.disk import DataVersion
from vm.guest.packages import ENGINE

SCHEMA = 1
MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
FILES = ("kernel", "initrd", "root")


class File(msgspec.Struct, frozen=True):
    """A file of the image: bytes, and their SHA-256 in hexadecimal."""

    size: int
    sha256: str


class Content(msgspec.Struct, frozen=True):
    """A package that the image was made from, as Debian's archive lists it."""

    name: str
    version: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """`version` counts up; `layout` is what the data disk holds; `recipe` is the digest of the recipe's own files."""

    schema: int
    arch: str
    version: str
    layout: int
    date: int
    recipe: str
    tools: dict[str, str]
    kernel: File
    initrd: File
    root: File
    packages: tuple[Content, ...]

    def file(self, name: str) -> File:
        """What one of FILES must be."""
        found: File = getattr(self, name)
        return found

    @property
    def data(self) -> DataVersion:
        """What data are used with under this image."""
        engines = [each.version for each in self.packages if each.name == ENGINE]
        return DataVersion(self.layout, int(engines[0].partition(".")[0]) if engines else 0)


def encode(manifest: Manifest) -> bytes:
    """The one spelling of a manifest, which is what a signature is made over."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def decode(text: bytes) -> Manifest:
    """A manifest from its text. Raises ImageUnreadable."""
    try:
        manifest = msgspec.json.decode(text, type=Manifest)
        if manifest.schema != SCHEMA:
            raise ImageUnreadable(f"schema {manifest.schema} is not known")
        ordinal(manifest.version)
        str(manifest.data)
    except (msgspec.DecodeError, ValueError) as error:
        raise ImageUnreadable(str(error)) from error
    return manifest


def ordinal(version: str) -> tuple[int, ...]:
    """A version as numbers to compare. Raises ValueError where it is none."""
    return tuple(int(part) for part in version.split("."))


def require(manifest: Manifest, arch: str, at_least: str) -> None:
    """Refuse an image for another processor or an older one. Raises ImageWrongArchitecture, ImageTooOld."""
    if manifest.arch != arch:
        raise ImageWrongArchitecture(manifest.arch, arch)
    if ordinal(manifest.version) < ordinal(at_least):
        raise ImageTooOld(manifest.version, at_least)


def describe(path: Path) -> File:
    """Size and digest of a file that is there."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return File(path.stat().st_size, digest)


def check(path: Path, name: str, wanted: File) -> None:
    """Whether a file is exactly what the manifest says. Raises ImageDamaged."""
    try:
        found = path.stat().st_size
        if found != wanted.size:
            raise ImageDamaged(name, f"has {found} bytes, not {wanted.size}")
        if describe(path) != wanted:
            raise ImageDamaged(name, "has another checksum")
    except OSError as error:
        raise ImageDamaged(name, error.strerror or "cannot be read") from error


def check_folder(folder: Path) -> Manifest:
    """The manifest of a folder whose every file is as it says. Raises ImageUnreadable, ImageDamaged."""
    try:
        manifest = decode((folder / MANIFEST).read_bytes())
    except OSError as error:
        raise ImageDamaged(MANIFEST, error.strerror or "cannot be read") from error
    for name in FILES:
        check(folder / name, name, manifest.file(name))
    return manifest
