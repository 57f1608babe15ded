"""Crash reports: written while the program dies, offered once by a later start; never with values of variables."""

from __future__ import annotations

import faulthandler
import os
import re
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TextIO

from msgspec import Struct

REPORT_NAME = re.compile(r"crash-(\d+(?:-[0-9a-f]+)?)\.txt\Z")
"""The process and when it started; older versions wrote the process alone, which another run may have as well."""
_BEYOND = 1 << 30
"""The byte that is locked on Windows: what is locked there cannot be read, so it lies behind all text."""


class CrashReport(Struct, frozen=True):
    """What an earlier run left: the file, when it was written (Unix seconds) and its text."""

    path: Path
    at: float
    text: str


def _system() -> str:
    """The system, its release and the machine; without the module platform, which costs a start two milliseconds."""
    if sys.platform == "win32":
        found = sys.getwindowsversion()
        return f"Windows {found.major}.{found.minor}.{found.build} {os.environ.get('PROCESSOR_ARCHITECTURE', '')}"
    told = os.uname()
    return f"{told.sysname} {told.release} {told.machine}"


class CrashRecorder:
    """Keeps a file open for faulthandler; the file is deleted on a clean end, so what stays is a crash.

    The file is 0600 in `folder` (0700) and locked while this process lives. It holds the version, the platform and
    stack traces: names of files, lines and functions, no values.
    """

    def __init__(self, folder: Path, version: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path, descriptor = _created(folder)
        self._file: TextIO | None = os.fdopen(descriptor, "w", buffering=1)
        head = f"Pilothouse {version}, Python {sys.version.split()[0]}, {_system()}\n"
        self._head = len(head)
        with suppress(OSError):  # a full disk keeps nobody from working
            self._file.write(head)
        faulthandler.enable(self._file)

    def record(self, kind: type[BaseException], trace: TracebackType | None) -> None:
        """Adds an exception that ended the program, without its text (which may hold a value)."""
        if self._file is None:
            return
        lines = [f"{time.strftime('%Y-%m-%d %H:%M:%S')} {kind.__name__}\n"]
        while trace is not None:
            code = trace.tb_frame.f_code
            lines.append(f'  File "{code.co_filename}", line {trace.tb_lineno} in {code.co_name}\n')
            trace = trace.tb_next
        with suppress(OSError):
            self._file.write("".join(lines))

    def close(self) -> None:
        """The clean end: nothing is left unless something was recorded."""
        if self._file is None:
            return
        faulthandler.disable()
        with suppress(OSError):
            self._file.close()
        self._file = None
        with suppress(OSError):
            if self._path.stat().st_size <= self._head:
                self._path.unlink()


def left_reports(folder: Path) -> list[CrashReport]:
    """Reports of runs that ended badly, newest first; files of runs that said nothing are deleted."""
    found: list[CrashReport] = []
    for path in folder.glob("crash-*.txt"):
        if REPORT_NAME.match(path.name) is None:
            continue
        with suppress(OSError):
            if (report := _left(path)) is not None:
                found.append(report)
    return sorted(found, key=lambda r: r.at, reverse=True)


def keep(report: CrashReport) -> None:
    """Renames the file of a report that was seen, so that it stays and is not offered again. Raises OSError."""
    stem = report.path.stem.removeprefix("crash-")
    kept = report.path.with_name(f"kept-{stem}.txt")
    number = 1
    while kept.exists():  # older names come again
        number += 1
        kept = report.path.with_name(f"kept-{stem}-{number}.txt")
    report.path.rename(kept)


def _created(folder: Path, tries: int = 3) -> tuple[Path, int]:
    """A new file, locked. One that another start took for a left one before it was locked is made again."""
    path = folder / f"crash-{os.getpid()}-{time.time_ns():x}.txt"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    if tries == 1 or (_lock(descriptor, alone=True) is not False and path.exists()):
        return path, descriptor
    os.close(descriptor)
    with suppress(OSError):
        path.unlink()
    return _created(folder, tries - 1)


def _left(path: Path) -> CrashReport | None:
    """The report in a file that no living process holds; a file without one is deleted, while it is surely ours."""
    descriptor = os.open(path, os.O_RDONLY)
    with open(descriptor, errors="replace") as file:
        held = _lock(descriptor, alone=False)
        if held is False:
            return None
        text = file.read(200_000)
        if text.count("\n") > 1:
            return CrashReport(path, os.fstat(descriptor).st_mtime, text)
        if held and sys.platform != "win32":
            path.unlink()
    if sys.platform == "win32":
        path.unlink()  # fails where a process has it open
    return None


def _lock(descriptor: int, *, alone: bool) -> bool | None:
    """Locks an open file until it is closed. False when another process has it; None where files have no locks."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, _BEYOND, os.SEEK_SET)
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            finally:
                os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return None
    return True
