"""LogLine: one line of a log as it is shown, with its level, and the cache of those that are on screen."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Final, NamedTuple

from app.widgets import loglevels
from app.widgets.ansi import Run, parse
from app.widgets.logbuffer import ERR, LogBuffer

KEPT: Final = 400
LOOK_BACK: Final = 80
"""How many lines up the head of a traceback is looked for."""


class LogLine(NamedTuple):
    """`text` is what is shown and copied; its first `lead` characters stand in the column of the level.

    `level` also holds for the lines of a traceback (`follows`). `cells` is the most that a character is wide.
    """

    text: str
    runs: tuple[Run, ...]
    level: int
    word: tuple[int, int]
    lead: int
    follows: bool
    exception: bool
    stderr: bool
    plain: bool
    cells: int


class LogLines:
    """Gives lines of a buffer as LogLine; parses only those that are asked for and keeps the last few hundred."""

    def __init__(self, buffer: LogBuffer) -> None:
        self._buffer = buffer
        self._cache: dict[int, LogLine] = {}
        self._epoch = buffer.epoch

    def forget(self) -> None:
        """Drops what is kept."""
        self._cache.clear()

    def get(self, line: int) -> LogLine:
        """One line; raises IndexError when the buffer has it no more."""
        if self._epoch != self._buffer.epoch:
            self._epoch = self._buffer.epoch
            self._cache.clear()
        found = self._cache.get(line)
        if found is None:
            found = self._make(line)
            if len(self._cache) >= KEPT:
                self._cache.clear()
            self._cache[line] = found
        return found

    def _make(self, line: int) -> LogLine:
        raw = self._buffer.raw(line)
        parsed = parse(raw)
        found = loglevels.level_of(raw)
        word, lead, level = (0, 0), 0, found.level
        if found.end and raw[: found.end].isascii() and b"\x1b" not in raw[: found.lead or found.end]:
            word, lead = (found.start, found.end), found.lead
            if parsed.text[found.start : found.end].encode("utf-8", "replace") != raw[found.start : found.end]:
                word, lead = (0, 0), 0
        follows = False
        if not level and loglevels.follows(raw):
            level = self._head_level(line)
            follows = level > 0
        plain = parsed.text.isascii()
        return LogLine(
            parsed.text,
            parsed.runs,
            level,
            word,
            min(lead, len(parsed.text)),
            follows,
            follows and loglevels.is_exception(raw),
            bool(self._buffer.kind(line) & ERR),
            plain,
            1 if plain or not any(unicodedata.east_asian_width(c) in "WF" for c in parsed.text[:4000]) else 2,
        )

    def _head_level(self, line: int) -> int:
        """The level of the message that a line of a traceback belongs to: an error, or none."""
        stream = self._buffer.kind(line) & 3
        for above in range(line - 1, max(self._buffer.first, line - LOOK_BACK) - 1, -1):
            if self._buffer.kind(above) & 3 != stream:
                continue
            raw = self._buffer.raw(above)
            if level := loglevels.level_of(raw).level:
                return level if level == loglevels.ERROR else 0
            if not loglevels.follows(raw):
                return 0
        return 0


def clock(stamp: bytes) -> str:
    """The time of a line on this computer's clock, with milliseconds; empty when it has none."""
    try:
        moment = datetime.fromisoformat(stamp[:23].decode("ascii") + "+00:00").astimezone()
    except (ValueError, OverflowError):
        return ""
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"
