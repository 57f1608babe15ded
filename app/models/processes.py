"""Processes of a container as rows of a table, from the columns that the engine's `ps` gave."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from app.presentation.units import DASH, age_text, bytes_text, percent_text
from app.widgets.cells import Cell, Column, Group, Row
from app.widgets.text import visible_name
from backend.types.containers import Top

COLUMNS: Final = (
    Column("pid", "PID", 84, 72, align_right=True, pad=24, optional=False),
    Column("user", "User", 96, 60),
    Column("cpu", "CPU", 72, 56, align_right=True, pad=12),
    Column("memory", "Memory", 96, 64, align_right=True, pad=12),
    Column("age", "Running", 84, 56, align_right=True, pad=32),
    Column("command", "Command", 240, 120, stretch=1, optional=False),
)


@dataclass(frozen=True, slots=True)
class Process:
    """One process: CPU share, bytes and seconds are None where `ps` did not say."""

    pid: int
    user: str
    cpu: float | None
    memory: int | None
    age: float | None
    command: str


def processes(top: Top) -> tuple[Process, ...]:
    """What the answer holds; rows that are too short are left out."""
    places = {title.upper(): i for i, title in enumerate(top.titles or ())}
    found = []
    for row in top.processes or ():
        if len(row) < len(places):
            continue

        def get(*titles: str, row: tuple[str, ...] = row) -> str:
            return next((row[places[title]] for title in titles if title in places), "")

        cpu, memory = _number(get("%CPU", "C")), _number(get("RSS"))
        found.append(
            Process(
                int(_number(get("PID")) or 0),
                get("USER", "UID"),
                cpu / 100 if cpu is not None else None,
                round(memory * 1024) if memory is not None else None,
                _number(get("ELAPSED")),
                get("COMMAND", "CMD"),
            )
        )
    return tuple(found)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def rows(found: Iterable[Process], sort: str, descending: bool) -> list[Group]:
    """The rows of the table, in order."""

    def key(process: Process) -> tuple[float, str]:
        value = getattr(process, sort)
        return (0, value.casefold()) if isinstance(value, str) else (-1 if value is None else value, "")

    ordered = sorted(found, key=lambda p: p.pid)
    ordered.sort(key=key, reverse=descending)
    return [Group("", tuple(Row(str(p.pid), _cells(p)) for p in ordered))]


def _cells(process: Process) -> tuple[Cell, ...]:
    return (
        Cell(str(process.pid), align_right=True),
        Cell(visible_name(process.user), "text-secondary"),
        Cell(percent_text(process.cpu), align_right=True),
        Cell(bytes_text(process.memory) if process.memory is not None else DASH, align_right=True),
        Cell(age_text(process.age), "text-secondary", align_right=True),
        Cell(visible_name(process.command, 500), mono=True),
    )
