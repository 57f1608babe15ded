"""The rows of the Builds page and the steps of a build, as values for the table and the steps view."""

from __future__ import annotations

import time
from collections.abc import Iterable

from msgspec.structs import replace

from app.presentation.containers import folder_text
from app.presentation.units import age_text, bytes_text
from app.stores.builds import CANCELLED, FAILED, INTERRUPTED, RUNNING, SUCCEEDED, BuildRecord
from app.widgets.cells import MISSING, Cell, Column, Group, Row
from app.widgets.steps import StepGroup, StepRow
from backend.types.builds import BuildStep, StepState

NBSP = "\u00a0"
COLUMNS = (
    Column("state", "State", 200, 140, lead=24),
    Column("tag", "Image", 180, 120, stretch=1),
    Column("context", "Folder", 180, 120, stretch=2, hide_below=1000),
    Column("steps", "From cache", 112, 90, align_right=True),
    Column("duration", "Duration", 96, 80, align_right=True),
    Column("age", "Age", 80, 60, align_right=True),
)
# icon, word, role
STATES = {
    RUNNING: ("loader", "Building", "info"),
    SUCCEEDED: ("circle-check", "Built", "success"),
    FAILED: ("circle-x", "Failed", "danger"),
    CANCELLED: ("ban", "Cancelled", "neutral"),
    INTERRUPTED: ("ban", "Interrupted", "neutral"),
}
_STEP_ICONS = {
    StepState.WAITING: ("circle-dashed", "text-tertiary"),
    StepState.RUNNING: ("loader-circle", "accent"),
    StepState.CACHED: ("zap", "accent"),
    StepState.DONE: ("check", "success"),
    StepState.FAILED: ("circle-x", "danger"),
    StepState.SKIPPED: ("circle-dashed", "text-tertiary"),
}


def seconds_text(seconds: float) -> str:
    """`0.4 s`, `38 s`, `2 min 5 s`."""
    if seconds < 60:
        return f"{seconds:.1f}{NBSP}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}{NBSP}min {rest}{NBSP}s" if minutes < 60 else f"{minutes // 60}{NBSP}h {minutes % 60}{NBSP}min"


def name_of(record: BuildRecord) -> str:
    """The image's name, or the folder's when it has no tag."""
    return record.tag or record.context.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1] or record.context


def sort_key(record: BuildRecord, column: str) -> tuple[object, ...]:
    """What a column sorts by."""
    values: dict[str, object] = {
        "state": STATES[record.state][1],
        "tag": name_of(record).lower(),
        "context": record.context.lower(),
        "steps": record.cached,
        "duration": record.seconds,
        "age": -record.started,
    }
    return (values.get(column, -record.started), -record.started)


def groups(records: Iterable[BuildRecord]) -> list[Group]:
    """The rows, in the order given."""
    return [Group("builds", tuple(Row(r.id, _cells(r)) for r in records))]


def _cells(record: BuildRecord) -> tuple[Cell, ...]:
    icon, word, role = STATES[record.state]
    calm = role in ("success", "neutral")
    why = record.error.splitlines()[0] if record.error else ""
    where = f"line {record.error_line}" if record.error_line else ""
    tokens = ("text-secondary", 400) if calm else (role, 500)
    return (
        Cell(
            word,
            *tokens,
            icon=icon,
            icon_token=role if role != "neutral" else "text-tertiary",
            secondary=where,
            tooltip=why,
        ),
        Cell(name_of(record), weight=500, elide="middle"),
        Cell(folder_text(record.context), "text-secondary", elide="middle", tooltip=record.context),
        Cell(f"{record.cached} of {record.planned}" if record.planned else MISSING, "text-secondary", align_right=True),
        Cell(seconds_text(record.seconds) if record.state != INTERRUPTED else MISSING, align_right=True),
        Cell(age_text(time.time() - record.started), "text-secondary", align_right=True),
    )


def progress_words(record: BuildRecord, steps: tuple[BuildStep, ...]) -> str:
    """`Step 10 of 14 · 38 s · 8 from cache`."""
    planned = [s for s in steps if s.number]
    cached = sum(1 for s in planned if s.state is StepState.CACHED)
    words = [seconds_text(record.seconds)] if record.state != INTERRUPTED else []
    if record.state == RUNNING and planned:
        ended = sum(1 for s in planned if s.state not in (StepState.WAITING, StepState.RUNNING))
        words.insert(0, f"Step {min(ended + 1, len(planned))} of {len(planned)}")
    elif planned:
        words.insert(0, f"{len(planned)} steps")
    return " · ".join([*words, *([f"{cached} from cache"] if cached else [])])


def step_groups(steps: tuple[BuildStep, ...], now: float, *, ended: bool = False) -> list[StepGroup]:
    """The steps under their stages; the builder's own work comes last. Of an `ended` build none waits or runs."""
    found: dict[str, list[BuildStep]] = {}
    for known in steps:
        left = ended and known.state in (StepState.WAITING, StepState.RUNNING)
        step = replace(known, state=StepState.SKIPPED) if left else known
        found.setdefault(step.stage if step.number else "\0", []).append(step)
    shown = []
    for stage, members in found.items():
        took = sum(_seconds(s, now) for s in members if s.state is not StepState.CACHED)
        waits = all(s.state is StepState.WAITING for s in members)
        right = "Waits" if waits else seconds_text(took) if took >= 0.05 else ""
        name = "Builder" if stage == "\0" else stage or "Arguments"
        base = "" if stage == "\0" else members[0].base
        shown.append(StepGroup(name, base, right, tuple(_step_row(s, now) for s in members)))
    return shown


def _seconds(step: BuildStep, now: float) -> float:
    if step.state is StepState.RUNNING and step.started:
        return max(0.0, now - step.started)
    return step.seconds


def _step_row(step: BuildStep, now: float) -> StepRow:
    icon, token = _STEP_ICONS[step.state]
    right = {
        StepState.CACHED: "From cache",
        StepState.WAITING: "",
        StepState.SKIPPED: "Stopped" if step.started else "Not run",
        StepState.FAILED: "Failed",
    }.get(step.state, seconds_text(_seconds(step, now)))
    running = step.state is StepState.RUNNING
    bar = step.done / step.total if running and step.total else None
    if running and step.done and bar is None:
        right = f"{bytes_text(step.done)} · {right}"
    return StepRow(
        step.key,
        str(step.number) if step.number else "",
        " ".join(step.name.split()),
        icon,
        token,
        right,
        bar,
        f"{bytes_text(step.done)} of {bytes_text(step.total)}" if bar is not None else "",
        calm=step.state in (StepState.WAITING, StepState.SKIPPED),
        active=running,
        spoken=f"Step {step.number}, {step.name}, {step.state.value} {right}",
    )
