"""LogSelection: what is selected in a log, by line and character, and its plain text."""

from __future__ import annotations

import re
from typing import Final

from app.widgets.logbuffer import LogBuffer
from app.widgets.logline import LogLines

Place = tuple[int, int]
COPY_LINES: Final = 50_000
"""Lines that one copy takes; more are saved to a file."""
_WORD = re.compile(r"[\w./:@-]+")


class LogSelection:
    """From `anchor` to `cursor`, both (line number, character), in either order."""

    def __init__(self, buffer: LogBuffer, lines: LogLines) -> None:
        self._buffer = buffer
        self._lines = lines
        self.anchor: Place | None = None
        self.cursor: Place = (0, 0)

    @property
    def ends(self) -> tuple[Place, Place] | None:
        """First and last place, or None when nothing is selected."""
        if self.anchor is None or self.anchor == self.cursor:
            return None
        first, last = sorted((self.anchor, self.cursor))
        return max(first, (self._buffer.first, 0)), last

    def set(self, place: Place, *, extend: bool = False) -> None:
        """Moves the cursor; the anchor comes along unless `extend`."""
        if not extend or self.anchor is None:
            self.anchor = place
        self.cursor = place

    def clear(self) -> None:
        """Selects nothing."""
        self.anchor = None

    def select_all(self) -> None:
        """Every line that is kept."""
        self.anchor, self.cursor = (self._buffer.first, 0), (self._buffer.end, 0)

    def select_word(self, place: Place) -> None:
        """The word at a place."""
        if len(self._buffer):
            for match in _WORD.finditer(self._lines.get(place[0]).text):
                if match.start() <= place[1] <= match.end():
                    self.anchor, self.cursor = (place[0], match.start()), (place[0], match.end())
                    return

    def span(self, line: int, length: int) -> tuple[int, int] | None:
        """The selected characters of a line of `length`."""
        ends = self.ends
        if ends is None or not ends[0][0] <= line <= ends[1][0]:
            return None
        start = ends[0][1] if line == ends[0][0] else 0
        end = ends[1][1] if line == ends[1][0] else length
        return (start, min(end, length)) if start < end else None

    def text(self) -> tuple[str, bool]:
        """The selected text without any escapes, and whether it was cut after COPY_LINES."""
        ends = self.ends
        if ends is None:
            return "", False
        (first, start), (last, end) = ends
        stop = min(last + 1, first + COPY_LINES, self._buffer.end)
        parts = []
        for line in range(first, stop):
            text = self._lines.get(line).text
            parts.append(text[start if line == first else 0 : end if line == last else len(text)])
        if last >= stop and last == self._buffer.end:
            parts.append("")
        return "\n".join(parts), stop <= last and stop < self._buffer.end
