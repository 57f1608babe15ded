"""From the start of the process to fifty rows on screen, and what the program then holds in memory."""

from __future__ import annotations

import statistics
import time

from tests.bench import machine
from tests.bench.crowd import Crowd
from tests.bench.rows import Row
from tests.bench.running import running

TALL = 1880
"""So many pixels high that fifty rows are in sight; the empty window is as high."""
ROUNDS = 7


def measure(crowd: Crowd) -> list[Row]:
    """(a) start. On a busy machine the clock says nothing, so only the CPU time is told."""
    ours, floors, work, least = [], [], [], []
    quiet = machine.calm()
    for turn in range(ROUNDS + 1):
        with running(crowd, "window", TALL) as empty:
            pass
        with running(crowd, "pilothouse", TALL) as program:
            pass
        assert program.rows >= 50, f"only {program.rows} rows in sight"
        if turn:  # The first turn compiles the modules and fills the page cache.
            ours.append(program.seconds * 1000)
            floors.append(empty.seconds * 1000)
            work.append(program.cpu * 1000)
            least.append(empty.cpu * 1000)
    name = "start to 50 rows on screen / empty window"
    found = [Row(name, statistics.median(ours), "ms", statistics.median(floors), 2.2)] if quiet else []
    if not quiet:
        print("start: the clock is not told, others use more than half of this machine")
    return [*found, Row("start, CPU time (least of each)", min(work), "ms", min(least))]


def measure_memory(crowd: Crowd) -> list[Row]:
    """(e) memory with 200 rows and no log, at the size of a first start, after everything has settled."""
    ours, floors = [], []
    for _ in range(3):
        with running(crowd, "window", 800) as empty:
            time.sleep(1)
            floors.append(machine.memory(empty.pid))
        with running(crowd, "pilothouse", 800) as program:
            time.sleep(8)
            ours.append(machine.memory(program.pid))
    found = []
    for at, name in enumerate(("RSS", "PSS")):
        value, floor = (statistics.median(pair[at] for pair in pairs) / 2**20 for pairs in (ours, floors))
        found.append(Row(f"memory with 200 rows, {name} / empty window", value, "MiB", floor, 2.0))
    return found
