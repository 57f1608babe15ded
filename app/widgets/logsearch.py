"""LogSearch: finds a text or a regular expression in a LogBuffer while the window lives.

A text is looked for in slices, between which the window sees to its events. A regular expression may take for ever on
a single line, so that it is tried by a process of its own.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from itertools import compress
from time import perf_counter
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from app.widgets.ansi import shown_lines
from app.widgets.logbuffer import LogBuffer
from app.widgets.logregex import RegexSearch

SLICE: Final = 64 * 1024
BUDGET: Final = 0.008
"""Seconds of searching between two looks at the window's events."""
MOST: Final = 200_000
"""Matches in view that are kept; the count says `+` from there."""
SPARE: Final = 100_000
"""Matches out of view that are kept, for another choice of levels; with more, those known to be out of view go."""


class LogSearch(QObject):
    """One search at a time. `lines` has the number of the line of every match in view, ascending.

    `problem` says why a pattern is none, `note` what was left out of a search. Signal: `changed()` after each slice
    that found something, and at the end. `close` it before it is deleted.
    """

    changed = Signal()

    def __init__(self, buffer: LogBuffer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._buffer = buffer
        self._text = ""
        self._case = False
        self._pattern: re.Pattern[str] | None = None
        self._needle = b""
        self._lower = False
        self._regex = False
        self.worker: RegexSearch | None = None
        self.problem = ""
        self.note = ""
        self._left_out = 0
        self._lines: array[int] = array("q")
        self.lines = self._lines
        self._shown: array[int] | None = None
        self._generation = self._decided = self._taken = 0
        self._in_view = bytearray()
        """For each match that was taken, whether its line is shown."""
        self._dropped = False
        self._starts: array[int] = array("I")
        self._ends: array[int] = array("I")
        self.current = -1
        self._low = self._next = 0
        self._epoch = -1
        self._settled = False
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._on_tick)

    @property
    def active(self) -> bool:
        """Whether something is searched for."""
        return bool(self._text) and not self.problem

    @property
    def busy(self) -> bool:
        """Whether a part of the log was not searched yet."""
        waits = self._shown is not None and self._taken < len(self._lines)
        return self._timer.isActive() or waits or (self.worker is not None and self.worker.busy)

    def set(self, text: str, *, regex: bool = False, case: bool = False) -> None:
        """Begins anew; an empty text ends the search."""
        self._timer.stop()
        self._text, self._regex, self._case, self.problem, self._pattern = text, regex, case, "", None
        if text and not regex:
            flags = (re.NOFLAG if case else re.IGNORECASE) | (re.ASCII if text.isascii() else re.NOFLAG)
            self._pattern = re.compile(re.escape(text), flags)
        fast = bool(text) and not regex and text.isascii()
        self._lower = fast and not case
        self._needle = (text.lower() if self._lower else text).encode() if fast else b""
        self._restart()
        if text:
            self._timer.start()
        self.changed.emit()

    def restrict(self, shown: array[int] | None, generation: int = 0, decided: int = 0) -> None:
        """Counts and steps through matches in the lines `shown` alone (ascending numbers), or in all of them.

        `shown` may grow with `decided`, below which it is complete; of another `generation` it is another choice.
        """
        if (shown is None) != (self._shown is None) or generation != self._generation:
            self._shown, self._generation = shown, generation
            if self._dropped:
                self._restart()
            else:
                self._begin_view()
            if self.active:
                self._timer.start()
            self.changed.emit()
        self._shown, self._decided = shown, decided
        if shown is not None and self._taken < len(self._lines):
            self._timer.start()

    def _begin_view(self) -> None:
        self.lines = self._lines if self._shown is None else array("q")
        self._taken, self.current, self._settled = 0, -1, False
        self._in_view = bytearray()

    def close(self) -> None:
        """Ends the search, and the process that it may have."""
        self._timer.stop()
        if self.worker is not None:
            self.worker.close()
            self.worker.deleteLater()
            self.worker = None

    def grew(self) -> None:
        """The buffer changed at either end."""
        if not self.active:
            return
        if self._buffer.first < self._low or self._epoch != self._buffer.epoch:
            self._restart()
            self.changed.emit()
        gone = bisect_left(self.lines, self._buffer.first)
        self.current = max(-1, self.current - gone)
        if self.lines is not self._lines:
            del self.lines[:gone]
            gone = bisect_left(self._lines, self._buffer.first)
            self._taken = max(0, self._taken - gone)
            del self._in_view[:gone]
        if gone:
            for kept in (self._lines, self._starts, self._ends):
                del kept[:gone]
        if self._next < self._buffer.end:
            self._timer.start()

    def step(self, back: bool = False, near: int | None = None) -> int | None:
        """Makes the next match the current one and returns its line; the first after line `near` when none was."""
        if not self.lines:
            return None
        if self.current < 0 and near is not None:
            self.current = (bisect_right(self.lines, near) - 1) if back else bisect_left(self.lines, near)
        else:
            self.current += -1 if back else 1
        self.current %= len(self.lines)
        self.changed.emit()
        return self.lines[self.current]

    def words(self) -> str:
        """`9 of 23`, for the field."""
        if not self.active:
            return ""
        total = f"{len(self.lines):,}" + ("+" if len(self.lines) >= MOST else "")
        if not self.lines:
            return "…" if self.busy and not self._settled else "No matches"
        return f"{self.current + 1:,} of {total}" if self.current >= 0 else total

    def matches(self, line: int, text: str) -> list[tuple[int, int, bool]]:
        """Start, end and whether it is the current one, of the matches in a line that is on screen."""
        if not self.active:
            return []
        here = 0 <= self.current < len(self.lines) and self.lines[self.current] == line
        now = self.current - bisect_left(self.lines, line) if here else -1
        found: list[tuple[int, int, bool]] = []
        for start, end in self._spans(line, text):
            found.append((start, end, len(found) == now))
            if len(found) >= 1000:
                break
        return found

    def _spans(self, line: int, text: str) -> list[tuple[int, int]]:
        if self._pattern is not None:
            return [match.span() for match in self._pattern.finditer(text)]
        first = bisect_left(self._lines, line)
        last = min(bisect_right(self._lines, line), len(self._ends))
        return [
            (start, min(end, len(text)))
            for start, end in zip(self._starts[first:last], self._ends[first:last], strict=True)
        ]

    def _restart(self) -> None:
        self.close()
        self._lines, self._starts, self._ends = array("q"), array("I"), array("I")
        self._begin_view()
        self._left_out, self.note, self._dropped = 0, "", False
        self._low = self._next = self._buffer.first
        self._epoch = self._buffer.epoch
        if self._text and self._regex:
            self.worker = worker = RegexSearch(self._text, case=self._case, parent=self)
            worker.found.connect(self._on_found)
            worker.refused.connect(self._on_refused)
            worker.gave_up.connect(self._on_gave_up)

    def _on_tick(self) -> None:
        until = perf_counter() + BUDGET
        before = len(self.lines)
        self._look(until - BUDGET / 2)
        more = self._admit(until)
        if not more and not self._can_look():
            self._timer.stop()
        self._settled |= not self.busy
        if len(self.lines) != before or not self.busy:
            self.changed.emit()

    def _admit(self, until: float) -> bool:
        """Takes matches in lines that are shown; whether some are left that could be taken now."""
        shown = self._shown
        if shown is None:
            return False
        while self._taken < len(self._lines):
            line = self._lines[self._taken]
            if line >= self._decided:
                return False
            at = bisect_left(shown, line)
            seen = at < len(shown) and shown[at] == line
            if seen:
                self.lines.append(line)
            self._in_view.append(seen)
            self._taken += 1
            if not self._taken % 256 and perf_counter() >= until:
                return True
        if len(self._lines) - len(self.lines) >= SPARE:
            self._drop_hidden()
        return False

    def _drop_hidden(self) -> None:
        """Keeps the matches in view alone; another choice of levels then looks anew."""
        self._starts = array("I", compress(self._starts, self._in_view))
        self._ends = array("I", compress(self._ends, self._in_view))
        self._lines = self.lines[:]
        self._taken = len(self._lines)
        self._in_view = bytearray(b"\1") * self._taken
        self._dropped = True

    def _can_look(self) -> bool:
        """Whether a slice is left that could be looked into now."""
        if self._regex and (self.worker is None or not self.worker.room):
            return False
        if len(self.lines) >= MOST or len(self._lines) - len(self.lines) >= SPARE:
            return False
        return max(self._next, self._buffer.first) < self._buffer.end

    def _look(self, until: float) -> None:
        """Looks into slices of the log."""
        while perf_counter() < until and self._can_look():
            self._next = max(self._next, self._buffer.first)
            self._slice()

    def _slice(self) -> None:
        block, index = self._buffer.chunk(self._next)
        start = block.span(index)[0]
        stop = max(index + 1, bisect_right(block.ends, start + SLICE))
        text = bytes(block.text[start : block.ends[stop - 1]])
        text = shown_lines(text)
        if self.worker is not None:
            self.worker.send(self._next, text)
        else:
            (self._find if self._needle else self._match)(text)
        self._next = block.first + stop

    def _find(self, text: bytes) -> None:
        if self._lower:
            text = text.lower()
        needle, size, line, last = self._needle, len(self._needle), self._next, 0
        add = self._lines.append
        place = text.find(needle)
        while place >= 0:
            line += text.count(b"\n", last, place)
            add(line)
            last = place
            place = text.find(needle, place + size)

    def _match(self, text: bytes) -> None:
        assert self._pattern is not None
        search = self._pattern.finditer
        for offset, line in enumerate(text[:-1].decode("utf-8", "replace").split("\n")):
            self._lines.extend(self._next + offset for _ in search(line))

    # -- what the process of a regular expression says -------------------------

    def _on_found(self, number: int, triples: array[int], left_out: int) -> None:
        first = self._buffer.first
        for place, start, end in zip(triples[::3], triples[1::3], triples[2::3], strict=True):
            if number + place >= first:
                self._lines.append(number + place)
                self._starts.append(start)
                self._ends.append(end)
        if left_out:
            self._left_out += left_out
            lines = "1 line" if self._left_out == 1 else f"{self._left_out:,} lines"
            self.note = f"The expression takes too long on {lines}, left out here"
        self._timer.start()
        if triples or left_out or not self.busy:
            self.changed.emit()

    def _on_refused(self, why: str) -> None:
        self.problem = why
        self.close()
        self.changed.emit()

    def _on_gave_up(self, why: str) -> None:
        self.note = why
        self.close()
        self.changed.emit()
