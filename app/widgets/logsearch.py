"""LogSearch: finds a text or a regular expression in a LogBuffer, in slices between which the window lives."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from re import _parser  # type: ignore[attr-defined]  # the only way to look at a pattern before it is run
from time import perf_counter
from typing import Any, Final

from PySide6.QtCore import QObject, QTimer, Signal

from app.widgets.ansi import plain_bytes
from app.widgets.logbuffer import LogBuffer

SLICE: Final = 64 * 1024
BUDGET: Final = 0.008
"""Seconds of searching between two looks at the window's events."""
MOST: Final = 200_000
"""Matches that are kept; the count says `+` from there."""
LOOKED_AT: Final = 2000
"""Characters of a line that a regular expression is tried on."""


class LogSearch(QObject):
    """One search at a time. `lines` has the number of the line of every match, ascending.

    Signal: `changed()` after each slice that found something, and at the end.
    """

    changed = Signal()

    def __init__(self, buffer: LogBuffer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._buffer = buffer
        self._regex = False
        self._pattern: re.Pattern[str] | None = None
        self._needle = b""
        self._lower = False
        self.lines: array[int] = array("q")
        self.current = -1
        self._low = self._next = 0
        self._epoch = -1
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._on_tick)

    @property
    def active(self) -> bool:
        """Whether something is searched for."""
        return self._pattern is not None

    @property
    def busy(self) -> bool:
        """Whether a part of the log was not searched yet."""
        return self._timer.isActive()

    def set(self, text: str, *, regex: bool = False, case: bool = False) -> str:
        """Begins anew; an empty text ends the search. Returns what is wrong with the pattern, or nothing."""
        self._timer.stop()
        self._pattern, self._regex = None, regex
        self._restart()
        problem = ""
        if text:
            ascii_flag = re.ASCII if text.isascii() and not regex else re.NOFLAG
            flags = (re.NOFLAG if case else re.IGNORECASE) | ascii_flag
            try:
                problem = refused(text) if regex else ""
                if not problem:
                    self._pattern = re.compile(text if regex else re.escape(text), flags)
            except (re.error, RecursionError, OverflowError) as error:
                problem = f"Not a regular expression: {error}"
        fast = self._pattern is not None and not regex and text.isascii()
        self._lower = fast and not case
        self._needle = (text.lower() if self._lower else text).encode() if fast else b""
        if self._pattern is not None:
            self._timer.start()
        self.changed.emit()
        return problem

    def grew(self) -> None:
        """The buffer changed at either end."""
        if self._pattern is None:
            return
        if self._buffer.first < self._low or self._epoch != self._buffer.epoch:
            self._restart()
        gone = bisect_left(self.lines, self._buffer.first)
        if gone:
            del self.lines[:gone]
            self.current = max(-1, self.current - gone)
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
            return "…" if self.busy else "No matches"
        return f"{self.current + 1:,} of {total}" if self.current >= 0 else total

    def matches(self, line: int, text: str) -> list[tuple[int, int, bool]]:
        """Start, end and whether it is the current one, of the matches in a line that is on screen."""
        if self._pattern is None:
            return []
        now = -1
        if 0 <= self.current < len(self.lines) and self.lines[self.current] == line:
            now = self.current - bisect_left(self.lines, line)
        looked = text[:LOOKED_AT] if self._regex else text
        found: list[tuple[int, int, bool]] = []
        for match in self._pattern.finditer(looked):
            if match.end() > match.start():
                found.append((match.start(), match.end(), len(found) == now))
            if len(found) >= 1000:
                break
        return found

    def _restart(self) -> None:
        self.lines = array("q")
        self.current = -1
        self._low = self._next = self._buffer.first
        self._epoch = self._buffer.epoch

    def _on_tick(self) -> None:
        until = perf_counter() + BUDGET
        before = len(self.lines)
        while perf_counter() < until:
            self._next = max(self._next, self._buffer.first)
            if self._next >= self._buffer.end or len(self.lines) >= MOST:
                self._timer.stop()
                self.changed.emit()
                return
            self._slice()
        if len(self.lines) != before:
            self.changed.emit()

    def _slice(self) -> None:
        block, index = self._buffer.chunk(self._next)
        start = block.span(index)[0]
        stop = max(index + 1, bisect_right(block.ends, start + SLICE))
        text = bytes(block.text[start : block.ends[stop - 1]])
        if b"\x1b" in text:
            text = plain_bytes(text)
        if self._needle:
            self._find(text)
        else:
            self._match(text)
        self._next = block.first + stop

    def _find(self, text: bytes) -> None:
        if self._lower:
            text = text.lower()
        needle, size, line, last = self._needle, len(self._needle), self._next, 0
        add = self.lines.append
        place = text.find(needle)
        while place >= 0:
            line += text.count(b"\n", last, place)
            add(line)
            last = place
            place = text.find(needle, place + size)

    def _match(self, text: bytes) -> None:
        assert self._pattern is not None
        search = self._pattern.finditer
        for offset, raw in enumerate(text[:-1].decode("utf-8", "replace").split("\n")):
            looked = raw[:LOOKED_AT] if self._regex else raw
            for match in search(looked):
                if match.end() > match.start():
                    self.lines.append(self._next + offset)


def refused(text: str) -> str:
    """Why a pattern is not run: a repeat inside a repeat can take longer than anybody waits. Empty when it is fine."""
    parsed: Any = _parser.parse(text)
    if _nested(parsed, inside=False):
        return "A repeat inside a repeat can take for ever. Write it without one of them"
    if _repeats(parsed) > 3:
        return "More than three open repeats can take for ever. Use fewer of * and +"
    return ""


def _parts(item: Any) -> list[Any]:
    if isinstance(item, _parser.SubPattern):
        return [item]
    if isinstance(item, (list, tuple)):
        return [p for part in item for p in _parts(part)]
    return []


def _is_repeat(name: object, value: Any) -> bool:
    return str(name) in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") and int(value[1]) > 20


def _nested(pattern: Any, *, inside: bool) -> bool:
    for name, value in pattern:
        repeat = _is_repeat(name, value)
        if repeat and inside:
            return True
        if any(_nested(part, inside=inside or repeat) for part in _parts(value)):
            return True
    return False


def _repeats(pattern: Any) -> int:
    return sum(_is_repeat(n, v) + sum(_repeats(p) for p in _parts(v)) for n, v in pattern)
