"""Telling one process from another for good: its id, its start time and this boot of the computer.

Ids are given out again; the three together are not. Nothing is signalled here before they were compared on a
descriptor of the process itself, so a stranger that got a dead engine's number is never touched.
"""

from __future__ import annotations

import os
import signal
from typing import NamedTuple


class Identity(NamedTuple):
    """A process: `pid`, `started` in clock ticks since the boot (field 22 of /proc/PID/stat), the boot's id."""

    pid: int
    started: int
    boot: str


def boot_id() -> str:
    """The kernel's id of this boot, empty where there is none."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def start_time(pid: int) -> int:
    """Clock ticks since the boot; 0 when there is no such process or it is a zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in "ZX" else int(fields[19])


def of(pid: int) -> Identity:
    """The identity of a process as it is now."""
    return Identity(pid, start_time(pid), boot_id())


def alive(who: Identity) -> bool:
    """Whether exactly this process lives."""
    return who.pid > 1 and who.started > 0 and who == of(who.pid)


def send(who: Identity, number: signal.Signals) -> bool:
    """Signal exactly this process; False when it is gone or another has its number."""
    try:
        descriptor = os.pidfd_open(who.pid)
    except (OSError, ValueError):
        return False
    try:
        if not alive(who):
            return False
        signal.pidfd_send_signal(descriptor, number)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
