"""Crash reports: written while the program dies, offered by the next start; never with values of variables."""

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

REPORT_NAME = re.compile(r"crash-(\d+)\.txt\Z")


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

    The file is 0600 in `folder` (0700). It holds the version, the platform and stack traces: names of files, lines and
    functions, no values.
    """

    def __init__(self, folder: Path, version: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / f"crash-{os.getpid()}.txt"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
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
        match = REPORT_NAME.match(path.name)
        if match is None or _alive(int(match[1])):
            continue
        with suppress(OSError):
            text = path.read_text(errors="replace")[:200_000]
            if text.count("\n") <= 1:
                path.unlink()
            else:
                found.append(CrashReport(path, path.stat().st_mtime, text))
    return sorted(found, key=lambda r: r.at, reverse=True)


def _alive(pid: int) -> bool:
    if pid == os.getpid():
        return True
    if sys.platform == "win32":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
