"""`python -m tests.bench [start] [list] [logs] [idle] [memory] [machine]`: every figure beside a floor of the same run.

Prints a table, writes build/bench.json, and says of each row whether it holds. Exit code 0 unless something could not
be measured: a figure is for reading, a busy machine is no failure.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from backend.endpoint import UnixSocket, text
from tests.bench import guest, idle, machine, rows, start
from tests.bench.crowd import Crowd, crowd
from tests.bench.rows import Row
from vm.errors import MachineError
from vm.qemu.errors import QemuError

RESULT = Path("build/bench.json")


def _lists(found: Crowd) -> list[Row]:
    return _child(found, "tests.bench.lists", found.endpoint.path)


def _logs(found: Crowd) -> list[Row]:
    return _child(found, "tests.bench", "in-this-process", "logs", text(found.endpoint))


SECTIONS: dict[str, Callable[[Crowd], list[Row]]] = {
    "start": start.measure,
    "list": _lists,
    "memory": start.measure_memory,
    "idle": idle.measure,
    "logs": _logs,
}


MACHINE = "machine"
CLOCKED = frozenset({"list", "logs", MACHINE})
"""Sections that look at the clock, which others on the machine hold back; the others count CPU time and bytes."""


def _child(found: Crowd, module: str, *words: str) -> list[Row]:
    """Rows that a process of its own writes, a JSON list a line."""
    command = [sys.executable, "-m", module, *words]
    done = subprocess.run(command, env=found.environment, stdout=subprocess.PIPE, text=True, check=True)
    return [Row(*json.loads(line)) for line in done.stdout.splitlines() if line.startswith("[")]


def _logs_here(address: str) -> None:
    from tests.bench import logs

    def report(name: str, value: float, unit: str, floor: float, limit: float) -> None:
        print(json.dumps((name, value, unit, floor, limit)), flush=True)

    logs.measure(UnixSocket(address.removeprefix("unix://")), report)


def main(words: Sequence[str]) -> int:
    """Measures the sections named, or all of them."""
    if words[:2] == ["in-this-process", "logs"]:
        _logs_here(words[2])
        return 0
    known = (*SECTIONS, MACHINE)
    wanted = [word for word in words if word in known] or list(known)
    if unknown := set(words) - set(known):
        print(f"Not measured, because nobody knows it: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    found: list[Row] = []
    skipped: list[str] = []
    failed = False

    def take(name: str, section: Callable[[], list[Row]]) -> None:
        nonlocal failed
        if name in CLOCKED and not machine.calm():
            skipped.append(f"{name}: skipped, others use more than half of this machine")
            return
        print(f"Measuring: {name}", flush=True)
        try:
            found.extend(section())
        except (AssertionError, subprocess.CalledProcessError, MachineError, QemuError) as error:
            failed = True
            skipped.append(f"{name}: could not be measured: {error}")

    if set(wanted) != {MACHINE}:
        with crowd() as engine:
            for name in wanted:
                if name != MACHINE:
                    take(name, partial(SECTIONS[name], engine))
    if MACHINE in wanted:  # Alone: an engine beside it would take its share.
        take(MACHINE, guest.measure)
    rows.write(RESULT, found)
    print("", rows.table(found), *skipped, f"Written to {RESULT}", sep="\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
