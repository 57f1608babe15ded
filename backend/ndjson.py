"""Lines of JSON out of bytes that arrive cut anywhere."""

from __future__ import annotations

from backend.decoding import LINE_CAP
from backend.errors import AnswerTooLarge


class LineSplitter:
    r"""Splits at `\n` alone (JSON may hold U+2028 and the like); blank lines are left out.

    A line longer than `cap` bytes raises AnswerTooLarge, before more than that is kept.
    """

    def __init__(self, what: str, cap: int = LINE_CAP) -> None:
        self._what = what
        self._cap = cap
        self._parts: list[bytes] = []
        self._held = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without their ends."""
        head, newline, rest = data.partition(b"\n")
        if not newline:
            self._hold(data)
            return []
        self._hold(head)
        lines = [b"".join(self._parts), *rest.split(b"\n")]
        self._parts, self._held = [], 0
        self._hold(lines.pop())
        lines = [line for line in lines if line and not line.isspace()]
        if any(len(line) > self._cap for line in lines):
            raise AnswerTooLarge(self._what, f"a line of more than {self._cap} bytes")
        return lines

    def finish(self) -> list[bytes]:
        """What is left when the bytes end: one line without its end, or none."""
        left = b"".join(self._parts)
        self._parts, self._held = [], 0
        return [left] if left and not left.isspace() else []

    def _hold(self, data: bytes) -> None:
        self._held += len(data)
        if self._held > self._cap:
            raise AnswerTooLarge(self._what, f"a line of more than {self._cap} bytes")
        if data:
            self._parts.append(data)
