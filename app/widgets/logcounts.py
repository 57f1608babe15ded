"""LogCounts: tells the level of every line in a LogBuffer, in slices, for the counts and the filter."""

from __future__ import annotations

from array import array
from collections.abc import Set as AbstractSet
from time import perf_counter
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from app.widgets.logbuffer import LEVELS, LogBuffer
from app.widgets.loglevels import follows, level_of

BUDGET: Final = 0.008
PAUSE_MS: Final = 8
BUSY_BUDGET: Final = 0.002
BUSY_MS: Final = 100
"""While lines pour in, reading them comes first."""
AT_ONCE: Final = 200


class LogCounts(QObject):
    """Counts by level, as in LEVELS; lines of a traceback belong to their head and are not counted.

    Signal: `changed()` after each slice.
    """

    changed = Signal()

    def __init__(self, buffer: LogBuffer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._buffer = buffer
        self.counts = [0] * len(LEVELS)
        self._wanted: frozenset[int] = frozenset()
        self.shown: array[int] | None = None
        self.generation = 0
        """Goes up when `shown` begins anew."""
        self._heads = [0] * 4
        self._low = self._next = buffer.first
        self._epoch = buffer.epoch
        self._grown = 0.0
        self._timer = QTimer(self, interval=PAUSE_MS, singleShot=True)
        self._timer.timeout.connect(self._on_tick)

    @property
    def done(self) -> int:
        """The number of the first line whose level was not told yet."""
        return self._next

    def grew(self) -> None:
        """The buffer changed at either end."""
        if self._buffer.first < self._low or self._epoch != self._buffer.epoch:
            self._restart()
            self.changed.emit()
        self._grown = perf_counter()
        if self._next < self._buffer.end and not self._timer.isActive():
            self._timer.start(BUSY_MS)

    def filter(self, levels: AbstractSet[int]) -> None:
        """Collects the lines of these levels in `shown`; none of them means all lines, and `shown` is None."""
        self._wanted = frozenset(levels)
        self._restart()
        self.shown = array("q") if levels else None
        self._timer.start()

    def _restart(self) -> None:
        self.counts = [0] * len(LEVELS)
        self._heads = [0] * 4
        self._low = self._next = self._buffer.first
        self._epoch = self._buffer.epoch
        self.generation += 1
        if self.shown is not None:
            self.shown = array("q")

    def _on_tick(self) -> None:
        busy = perf_counter() - self._grown < 0.15
        until = perf_counter() + (BUSY_BUDGET if busy else BUDGET)
        buffer = self._buffer
        self._next = max(self._next, buffer.first)
        if self.shown and self.shown[0] < buffer.first:
            self.shown = array("q", [n for n in self.shown if n >= buffer.first])
        while self._next < buffer.end and perf_counter() < until:
            self._slice()
        if self._next < buffer.end:
            self._timer.start(BUSY_MS if busy else PAUSE_MS)
        self.changed.emit()

    def _slice(self) -> None:
        block, index = self._buffer.chunk(self._next)
        stop = min(len(block), index + AT_ONCE)
        text, ends, kinds, heads = block.text, block.ends, block.kinds, self._heads
        start = ends[index - 1] if index else 0
        for place in range(index, stop):
            head = bytes(text[start : min(ends[place] - 1, start + 128)])
            start = ends[place]
            level, stream = level_of(head).level, kinds[place] & 3
            if level:
                self.counts[level] += 1
                heads[stream] = level
            elif follows(head):
                level = heads[stream]
            else:
                heads[stream] = 0
            if self.shown is not None and level in self._wanted:
                self.shown.append(block.first + place)
        self._next = block.first + stop
