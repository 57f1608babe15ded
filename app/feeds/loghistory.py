"""How older lines of a log join those that are known, without a gap and without a repeat.

The engine counts `tail` from the newest line, so a larger tail holds the known lines again; it is cut where they
begin. Lines of the same time and text are told apart by their place.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from app.widgets.logbuffer import STAMP, LogBuffer
from backend.loglines import Batch

COMPARED: Final = 200
"""Known lines that must be found again in a row."""
STREAM: Final = 3


def merge_older(buffer: LogBuffer, batches: Iterable[Batch]) -> int:
    """Puts what is before the buffer's first line in front of it; returns how many lines came.

    `batches` is a longer tail of the same log. The first known line may be the end of a long line that the engine's
    count cut; its whole takes its place.
    """
    tail = LogBuffer(cap=1 << 62)
    for batch in batches:
        tail.append(batch.text, batch.lengths, batch.stamps, batch.kinds)
    cut = _begin(buffer, tail)
    if cut is None:
        return 0
    older = cut
    if len(buffer) and cut < len(tail) and tail.raw(cut) != buffer.raw(buffer.first):
        buffer.drop_first()
        older += 1
    _prepend(buffer, tail, older)
    return cut


def _begin(buffer: LogBuffer, tail: LogBuffer) -> int | None:
    """The place in `tail` of the buffer's first line: nearest to where the counts of lines put it."""
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
        mine, other = first + offset, place + offset
        if buffer.stamp(mine) != tail.stamp(other) or (buffer.kind(mine) ^ tail.kind(other)) & STREAM:
            return False
        text, whole = buffer.raw(mine), tail.raw(other)
        if text != whole and not (offset == 0 and whole.endswith(text)):
            return False
    return True


def _prepend(buffer: LogBuffer, tail: LogBuffer, older: int) -> None:
    """Takes the newest of the `older` lines that there is room for, block by block."""
    parts: list[tuple[bytes, list[int], bytes, bytes]] = []
    room = buffer.room
    for block in tail.blocks():
        count = min(len(block), older - block.first)
        if count <= 0:
            break
        ends = block.ends[:count].tolist()
        lengths = [end - start for start, end in zip([0, *ends], ends, strict=False)]
        parts.append(
            (bytes(block.text[: ends[-1]]), lengths, bytes(block.stamps[: count * STAMP]), bytes(block.kinds[:count]))
        )
    while parts and sum(len(text) + len(kinds) * (STAMP + 5) for text, _, _, kinds in parts) > room:
        parts.pop(0)
    buffer.prepend(parts)
