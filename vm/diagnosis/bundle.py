"""One file for a bug report: reports, checks, versions, settings and logs, every text of it redacted."""

from __future__ import annotations

import asyncio
import io
import os
import platform
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from vm.diagnosis.check import Check
from vm.diagnosis.looking import diagnose
from vm.diagnosis.redacting import Redactor
from vm.diagnosis.seen import Seen
from vm.errors import MachineError
from vm.guest.manifest import MANIFEST
from vm.paths import MachinePaths, write_private

if TYPE_CHECKING:
    from vm.machine import Machine

KEPT = 1 << 20
"""Bytes of a log's end that go in."""
GUEST_SECONDS = 60.0
STATE_SECONDS = 25.0
LOGS = ("supervisor.log", "supervisor.start", "serial.log", "qemu.log")
ENDINGS = ("", ".1", ".last")
FILES = ("failure.json", "trial.json", "machine.json", "image.json")


async def write_bundle(machine: Machine, path: Path, version: str = "") -> None:
    """Save it as a zip of 0600. `version` is the program's. Raises OSError."""
    checks = [check async for check in diagnose(machine)]
    seen = await Seen.of(machine, STATE_SECONDS)
    try:
        guest = await _of_guest(seen)
    finally:
        await seen.close()
    await asyncio.to_thread(_write, seen, checks, guest, path, version)


async def _of_guest(seen: Seen) -> str:
    """What the guest's services and its kernel wrote; the reason where it cannot be asked."""
    try:
        async with asyncio.timeout(seen.patience(GUEST_SECONDS)):
            return await seen.ask(
                "pilothouse steps; pilothouse logs 300; dmesg | tail -n 200; df -k; free -m; ps -o pid,comm,rss"
            )
    except (MachineError, OSError, ValueError) as error:
        return f"The guest was not asked: {type(error).__name__}\n"


def _write(seen: Seen, checks: list[Check], guest: str, path: Path, version: str) -> None:
    redactor = Redactor(_secrets(seen.paths))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, text in _texts(seen, checks, guest, version):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            bundle.writestr(info, _cleaned(redactor, name, text))
    write_private(path, packed.getvalue())


def _cleaned(redactor: Redactor, name: str, text: str) -> str:
    """JSON stays JSON: there the values are cleaned."""
    if name.endswith(".json"):
        with suppress(msgspec.MsgspecError):
            return _json(redactor.clean_value(msgspec.json.decode(text)))
    return redactor.clean(text)


def _texts(seen: Seen, checks: list[Check], guest: str, version: str) -> Iterator[tuple[str, str]]:
    paths = seen.paths
    yield "versions.json", _json(_versions(seen, version))
    yield "report.json", _json(msgspec.to_builtins(seen.report) if seen.report is not None else {"silent": seen.silent})
    yield "checks.json", _json(msgspec.to_builtins(checks))
    yield "guest.log", guest
    for name in FILES:
        with suppress(OSError):
            yield name, (paths.home / name).read_text(encoding="utf-8", errors="replace")
    for name in LOGS:
        for ending in ENDINGS:
            with suppress(OSError):
                yield f"logs/{name}{ending}", _end_of(paths.home / f"{name}{ending}")


def _versions(seen: Seen, version: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "pilothouse": version,
        "system": platform.platform(),
        "processor": platform.machine(),
        "cpus": os.cpu_count(),
        "python": sys.version,
    }
    with suppress(OSError, ValueError):
        manifest = msgspec.json.decode((seen.paths.image / MANIFEST).read_bytes())
        wanted = ("arch", "version", "layout", "recipe", "packages")
        found["image"] = {key: manifest[key] for key in wanted if key in manifest}
    return found


def _secrets(paths: MachinePaths) -> Iterator[str]:
    """What is secret for sure: the keys, and all that the guest is handed but for its name."""
    files = [paths.user_key, paths.host_key]
    with suppress(OSError):
        files += [each for each in paths.handed.iterdir() if each.name != "hostname"]
    for file in files:
        with suppress(OSError):
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                yield line.strip()
                yield from (part for part in line.replace("\t", ",").split(",") if "pass" in part.lower())


def _end_of(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - KEPT))
        return file.read(KEPT).decode(errors="replace")


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=1).decode() + "\n"
