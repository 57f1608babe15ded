"""How older lines of a log join those that are known, without a gap and without a repeat.

The engine counts `tail` from the newest line, so a larger tail holds the known lines again; it is cut where they
begin. Lines of the same time and text are told apart by their place.
"""

from __future__ import annotations

from typing import Final

from app.widgets.logbuffer import LogBuffer

COMPARED: Final = 200
"""Known lines that must be found again in a row."""
STREAM: Final = 3


def merge_older(buffer: LogBuffer, tail: LogBuffer) -> int:
    """Puts what is before the buffer's first line in front of it; returns how many lines are before it.

    `tail` holds a longer tail of the same log, and is empty then. The first known line may be the end of a long line
    that the engine's count cut; its whole takes its place.
    """
    cut = _begin(buffer, tail)
    if cut is None:
        return 0
    older = cut
    if len(buffer) and cut < len(tail) and tail.raw(tail.first + cut) != buffer.raw(buffer.first):
        buffer.drop_first()
        older += 1
    buffer.take_older(tail, older)
    return cut


def _begin(buffer: LogBuffer, tail: LogBuffer) -> int | None:
    """How many lines of `tail` are before the buffer's first: nearest to what the counts of lines say."""
    known, total = len(buffer), len(tail)
    if not known:
        return total
    for distance in range(total + 1):
        for place in {total - known - distance, total - known + distance}:
            if 0 <= place < total and _same(buffer, tail, place):
                return place
    return None


def _same(buffer: LogBuffer, tail: LogBuffer, place: int) -> bool:
    count = min(COMPARED, len(buffer), len(tail) - place)
    first = buffer.first
    for offset in range(count - 1, -1, -1):
        mine, other = first + offset, tail.first + place + offset
        if buffer.stamp(mine) != tail.stamp(other) or (buffer.kind(mine) ^ tail.kind(other)) & STREAM:
            return False
        text, whole = buffer.raw(mine), tail.raw(other)
        if text != whole and not (offset == 0 and whole.endswith(text)):
            return False
    return True
