"""The widths of a table's columns: what is hidden, what a person has set, and who gets the spare room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from msgspec import Struct

from app.widgets.cells import Column

TICK_WIDTH = 28
INSET = 16
BARE_INSET = 12
ACTION_WIDTH = 28
ACTIONS_WIDTH = 92


class ColumnChoices(Struct):
    """What a person has set: widths in px and visibility, by key of column."""

    widths: dict[str, int] = {}
    shown: dict[str, bool] = {}

    def hides(self, column: Column) -> bool:
        """Whether the person, or the column's own default, hides it."""
        return column.optional and not self.shown.get(column.key, not column.hidden)


def visible(columns: Sequence[Column], choices: ColumnChoices, window: int) -> Set[str]:
    """The keys of the columns that are shown in a window of that width."""
    return {c.key for c in columns if not choices.hides(c) and window >= c.hide_below}


def widths(columns: Sequence[Column], choices: ColumnChoices, window: int, room: int) -> dict[str, int]:
    """The width of each visible column, filling `room` px when a column stretches.

    Spare room goes to the stretching columns by their shares, first to those whose width nobody has set. When there is
    too little, those columns shrink to their least width, then the others do.
    """
    keys = visible(columns, choices, window)
    shown = [c for c in columns if c.key in keys]
    result = {c.key: _base(c, choices.widths, window) for c in shown}
    spare = room - sum(result.values())
    if spare > 0:
        _spread(result, shown, choices.widths, spare)
    elif spare < 0:
        _shrink(result, shown, window, -spare)
    return result


def _base(column: Column, set_widths: Mapping[str, int], window: int) -> int:
    width = set_widths.get(column.key, column.width)
    if window < column.bar_below:
        width -= column.bar_width
    return max(width, _least(column, window))


def _least(column: Column, window: int) -> int:
    """A bar that is shown takes nothing of the least width of the text before it."""
    bar = column.bar_width if window >= column.bar_below else 0
    return max(column.min_width, min(column.width, column.min_width + bar))


def _spread(result: dict[str, int], shown: list[Column], set_widths: Mapping[str, int], spare: int) -> None:
    takers = [c for c in shown if c.stretch and c.key not in set_widths] or [c for c in shown if c.stretch][-1:]
    shares = sum(c.stretch for c in takers)
    left = spare
    for column in takers:
        part = left if column is takers[-1] else spare * column.stretch // shares
        result[column.key] += part
        left -= part


def _shrink(result: dict[str, int], shown: list[Column], window: int, lack: int) -> None:
    for column in sorted(shown, key=lambda c: c.stretch == 0):
        give = min(lack, result[column.key] - _least(column, window))
        result[column.key] -= max(give, 0)
        lack -= max(give, 0)
