"""Telling a process from another that got its number later, on all three systems; nobody else's is ever signalled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress

import msgspec

from backend.embedded import identity


class Identity(msgspec.Struct, frozen=True):
    """A process: its id, and when it started, in the words of its system ("" for one that is gone)."""

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """Whether exactly this process lives."""
        return self.pid > 1 and self.started != "" and self == identity_of(self.pid)


def identity_of(pid: int) -> Identity:
    """The process that has this number now."""
    return Identity(pid, _started(pid))


def end(who: Identity, *, force: bool) -> None:
    """Ask exactly this process to end, or make it; one that got its number later is left alone."""
    number = signal.SIGTERM  # On Windows it is force already.
    if sys.platform != "win32" and force:
        number = signal.SIGKILL
    if not who.alive:
        return
    if sys.platform == "linux":
        boot, _, ticks = who.started.rpartition(" ")
        identity.send(identity.Identity(who.pid, int(ticks), boot), number)
    else:
        with suppress(OSError):
            os.kill(who.pid, number)


def _started(pid: int) -> str:
    if sys.platform == "linux":
        found = identity.of(pid)
        started = f"{found.boot} {found.started}" if found.started else ""
    elif sys.platform == "win32":
        started = _started_on_windows(pid)
    else:
        started = started_by_ps(pid)
    return started


def started_by_ps(pid: int) -> str:
    """When the process started, to the second, as ps(1) of macOS, the BSDs and Linux says it."""
    asked = ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=10, env={"LC_ALL": "C"}, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    state, _, began = done.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else began.strip()


if sys.platform == "win32":

    def _started_on_windows(pid: int) -> str:
        """The creation time as a FILETIME (GetProcessTimes); a process whose exit time is set is gone."""
        import ctypes
        from ctypes import wintypes

        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.restype = wintypes.HANDLE
        limited_information = 0x1000
        handle = kernel.OpenProcess(limited_information, False, pid)
        if not handle:
            return ""
        times = [wintypes.FILETIME() for _ in range(4)]
        try:
            if not kernel.GetProcessTimes(wintypes.HANDLE(handle), *map(ctypes.byref, times)):
                return ""
        finally:
            kernel.CloseHandle(wintypes.HANDLE(handle))
        created, ended = ((t.dwHighDateTime << 32) + t.dwLowDateTime for t in times[:2])
        return "" if ended else str(created)
