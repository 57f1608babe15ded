"""The images of the machine: each in a folder of its own, chosen by one file, the one before kept for a return.

Every step leaves a machine that starts: an image gets its name when it is whole and trusted, the choice is one file
that is replaced, and what is not chosen is thrown away last.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from vm.errors import DataNewer, ImageDamaged, ImageMissing, ImageNoRoom, MachineUpdating
from vm.guest.disk import DataVersion
from vm.guest.fetching import Progress, fetch
from vm.guest.manifest import FILES, MANIFEST, SIGNATURE, Manifest, decode, ordinal, require
from vm.guest.published import release, source
from vm.guest.trust import BUILT as BUILT_MARK
from vm.guest.trust import trusted
from vm.paths import InUse, MachinePaths, write_private
from vm.qemu.errors import MachineAlreadyRuns
from vm.qemu.host import Arch, this_host
from vm.qemu.locks import DiskLock

ARCHES: dict[Arch, str] = {"x86_64": "amd64", "aarch64": "arm64"}
"""Processors as QEMU names them, to those of Debian, which are those of an image."""
BUILT = Path(__file__).absolute().parents[1] / "build" / "guest"
"""Where `make guest` leaves what it builds."""
COMMAND = "make guest"
FETCHED = "fetched"
NEW = "new"
Say = Callable[[str], None]


def architecture() -> str:
    """That of an image for this computer. Raises OSError where there is none."""
    return ARCHES[this_host().arch]


def trusted_image(folder: Path) -> Manifest:
    """The manifest of an image that this computer may run. Raises ImageError, OSError."""
    manifest = trusted(folder, release().public_keys)
    require(manifest, architecture(), "0")
    return manifest


def name_of(manifest: bytes) -> str:
    """The folder of an image: its version, and what sets it apart from others of that version. Raises ImageError."""
    return f"{decode(manifest).version}-{hashlib.sha256(manifest).hexdigest()[:12]}"


def version_of(name: str) -> str:
    """The version of an image by its folder's name."""
    return name.rpartition("-")[0]


def kept(paths: MachinePaths) -> str:
    """The version of the image from before an update; empty where none is kept."""
    found = paths.in_use
    return version_of(found.before) if found is not None else ""


def require_fit(paths: MachinePaths, mark: DataVersion | None, folder: Path | None = None) -> None:
    """Refuse an image for data that are too new for it. Raises DataNewer, ImageError."""
    try:
        manifest = decode(((folder or paths.image) / MANIFEST).read_bytes())
    except OSError as error:
        raise ImageDamaged(MANIFEST, error.strerror or "cannot be read") from error
    if mark is not None and mark.newer_than(manifest.data):
        raise DataNewer(manifest.version, str(mark), str(manifest.data))


def require_source() -> None:
    """Raises ImageMissing where none was built here and none is published."""
    looked = BUILT / architecture()
    if not (looked / MANIFEST).is_file() and not release().base:
        raise ImageMissing((str(looked),), COMMAND)


async def find(paths: MachinePaths, given: Path | None, say: Say, progress: Progress, at_least: str = "0") -> Path:
    """A folder with an image: the one that is given, else what was built here, else what is published.

    Raises ImageMissing where there is none of them, and as `fetch_published`.
    """
    looked = given if given is not None else BUILT / architecture()
    if (looked / MANIFEST).is_file():
        return looked
    if given is not None or not release().base:
        raise ImageMissing((str(looked),), COMMAND)
    return await fetch_published(paths, say, progress, at_least)


async def fetch_published(paths: MachinePaths, say: Say, progress: Progress, at_least: str = "0") -> Path:
    """Bring the published image to this computer, or go on with that. Raises ImageError."""
    found = release()
    if not found.base:
        raise ImageMissing((str(BUILT / architecture()),), COMMAND)
    paths.make()
    say("fetch")
    folder = paths.images / FETCHED
    oldest = max(found.at_least, at_least, key=ordinal)
    arch = architecture()
    origin = source(found.base, arch)
    await fetch(origin, folder, arch=arch, public_keys=found.public_keys, at_least=oldest, progress=progress)
    return folder


def bring(paths: MachinePaths, origin: Path) -> str:
    """Copy an image into a folder of its own, and trust the copy; its name. Raises ImageError, OSError."""
    made = paths.images / NEW
    shutil.rmtree(made, ignore_errors=True)
    if origin == paths.images / FETCHED:
        origin.rename(made)
    else:
        _copy(origin, made)
    trusted_image(made)
    name = name_of((made / MANIFEST).read_bytes())
    target = paths.images / name
    shutil.rmtree(target, ignore_errors=True)
    made.rename(target)
    return name


def choose(paths: MachinePaths, name: str, before: str) -> None:
    """Start with this image from now on. Raises OSError."""
    write_private(paths.chosen, msgspec.json.encode(InUse(name, before)))


def tidy(paths: MachinePaths) -> None:
    """Throw away images that are neither used nor kept; a download stays for the next try."""
    found = paths.in_use
    if found is None:
        return
    for folder in paths.images.iterdir():
        if folder.is_dir() and folder.name not in (found.use, found.before, FETCHED):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def alone(paths: MachinePaths) -> Iterator[None]:
    """Nobody else changes the images meanwhile. Raises MachineUpdating, OSError."""
    try:
        lock = DiskLock.take(paths.images / "update")
    except MachineAlreadyRuns as error:
        raise MachineUpdating() from error
    try:
        yield
    finally:
        lock.release()


async def install(paths: MachinePaths, origin: Path) -> str:
    """Bring an image in the background; its name. Raises ImageError, OSError."""
    return await asyncio.to_thread(bring, paths, origin)


def _copy(origin: Path, made: Path) -> None:
    made.mkdir(mode=0o700)
    vouching = SIGNATURE if (origin / SIGNATURE).exists() else BUILT_MARK
    needed = sum(path.stat().st_size for name in FILES if (path := origin / name).exists())
    free = shutil.disk_usage(made).free
    if free < needed:
        raise ImageNoRoom(str(made.parent), needed, free)
    # Whether others may write to the origin is asked there: the copy is ours in any case.
    trusted_image(origin)
    for name in (*FILES, MANIFEST, vouching):
        try:
            shutil.copyfile(origin / name, made / name)
            (made / name).chmod(0o600)
        except FileNotFoundError as error:
            raise ImageDamaged(name, "is missing") from error
