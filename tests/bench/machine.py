"""Figures that the kernel keeps: CPU time and memory of processes, and how busy the machine is."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

BUSY = 0.5
"""The share of all cores that others may use while something is measured."""


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used with all its threads, those that ended too; 0 once it is gone."""
    try:
        return time.clock_gettime(~pid << 3 | 2)  # CPUCLOCK_SCHED of another process, see clock_getcpuclockid(3)
    except OSError:
        return 0.0


def cpu_share(pids: Iterable[int], before: dict[int, float], seconds: float) -> float:
    """Per cent of one core that `pids` used since `before`."""
    return 100 * sum(max(0.0, cpu_seconds(pid) - before.get(pid, 0.0)) for pid in pids) / seconds


def memory(pid: int) -> tuple[int, int]:
    """Resident and proportional set size in bytes."""
    found = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        key, _, rest = line.partition(":")
        found[key] = int(rest.split()[0]) * 1024
    return found["Rss"], found["Pss"]


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for one in found:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(word) for word in children.read_text().split()]
    return found


def named(pids: Iterable[int], names: frozenset[str]) -> list[int]:
    """Those whose program has one of the names."""
    found = []
    for pid in pids:
        path = Path(f"/proc/{pid}/comm")
        if path.exists() and path.read_text().strip() in names:
            found.append(pid)
    return found


def busy(seconds: float = 1.0) -> float:
    """The share of all cores in use while nothing is measured."""
    before, began = _used(), time.monotonic()
    time.sleep(seconds)
    total, idle = (now - then for now, then in zip(_used(), before, strict=True))
    del began
    return 1 - idle / total if total else 0.0


def calm(patience: float = 20.0) -> bool:
    """Waits a while until others leave half of the machine; whether they do."""
    limit = time.monotonic() + patience
    while busy() > BUSY:
        if time.monotonic() > limit:
            return False
    return True


def _used() -> tuple[int, int]:
    fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(fields), fields[3] + fields[4]
