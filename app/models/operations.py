"""Operations as rows of the Activity table."""

from __future__ import annotations

import time
from collections.abc import Iterable

from app.notices import notice_for
from app.operation import Operation, OperationState
from app.presentation.units import age_text, bytes_text, clock_text
from app.widgets.cells import Cell, Column, Group, Row

COLUMNS = (
    Column("state", "State", 132, 112, lead=23, sortable=False, optional=False),
    Column("what", "Action", 260, 160, stretch=2, sortable=False, optional=False),
    Column("progress", "Progress", 200, 120, stretch=1, sortable=False, bar_width=52, bar_below=1000),
    Column("started", "Started", 72, 64, align_right=True, sortable=False),
    Column("took", "Took", 72, 56, align_right=True, sortable=False),
)
STATES = {
    OperationState.RUNNING: ("loader-circle", "info", "Running"),
    OperationState.SUCCEEDED: ("circle-check", "success", "Done"),
    OperationState.FAILED: ("circle-alert", "danger", "Failed"),
    OperationState.CANCELLED: ("ban", "text-secondary", "Cancelled"),
}
SEGMENTS = (("all", "All"), ("running", "Running"), ("failed", "Failed"))


def fits(operation: Operation, segment: str) -> bool:
    """Whether an operation belongs to a segment of the page."""
    if segment == "running":
        return operation.running
    return segment != "failed" or operation.state is OperationState.FAILED


def matches(operation: Operation, words: str) -> bool:
    """Whether what is shown of an operation holds `words`: its title, its subject, its docker command line."""
    return words.casefold() in f"{operation.title} {operation.subject}\n{operation.line.shown}".casefold()


def progress_words(operation: Operation) -> str:
    """`38 of 62 MB`, or the words that the operation gave; empty when it says nothing."""
    if operation.total and operation.running and not operation.counted:
        unit = bytes_text(operation.total)
        done = bytes_text(operation.done)
        same = done.rpartition("\u00a0")[2] == unit.rpartition("\u00a0")[2]
        return f"{done.rpartition(chr(0xA0))[0] if same else done} of {unit}"
    return operation.words


def row_of(operation: Operation, now: float) -> Row:
    """One operation."""
    icon, token, word = STATES[operation.state]
    calm = operation.state in (OperationState.SUCCEEDED, OperationState.CANCELLED)
    failure = str(operation.error) if operation.error is not None else ""
    notice = notice_for(operation.error) if operation.error is not None else None
    took = (operation.finished or now) - operation.started
    share = min(operation.done / operation.total, 1.0) if operation.total and operation.running else None
    words = (notice.detail or notice.title) if notice is not None else progress_words(operation)
    return Row(
        str(operation.id),
        (
            Cell(word, "text-secondary" if calm else token, 400 if calm else 500, icon=icon, icon_token=token),
            Cell(operation.title, weight=500, secondary=operation.subject),
            Cell(words, "text-secondary", small=True, bar=share, bar_token="accent", tooltip=failure),
            Cell(clock_text(operation.started), "text-secondary", align_right=True),
            Cell(age_text(took) if took >= 1 else "<\u00a01\u00a0s", "text-secondary", align_right=True),
        ),
    )


def groups_of(operations: Iterable[Operation], now: float | None = None) -> list[Group]:
    """Operations, newest first, in one group without a heading."""
    at = time.time() if now is None else now
    return [Group("operations", tuple(row_of(o, at) for o in operations))]
