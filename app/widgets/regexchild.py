"""Tries a regular expression on lines, as a process of its own: a pattern that never ends stops nobody but this.

It reads parts from standard input and answers on standard output. Each part is HEAD (kind, number, size) and bytes:
PATTERN (the number says whether case matters) is answered by a REFUSAL, if there is one; LINES (each with a newline)
by FOUND, with as number the lines that were left out since they took too long, and triples of 32 bits: place of the
line, start and end of the match in characters. After too many such lines it answers GAVE_UP and ends.
"""

from __future__ import annotations

import re
import signal
import sys
from array import array
from struct import Struct
from typing import BinaryIO

HEAD = Struct("<cII")
PATTERN, LINES, FOUND, REFUSAL, GAVE_UP = b"P", b"L", b"F", b"R", b"G"
LINE_SECONDS = 0.5
"""A line that takes longer is left out."""
LEFT_OUT = 10
"""So many lines may be left out."""
MOST_IN_LINE = 1000


class _TooLongError(Exception):
    pass


class Finder:
    """Finds matches line by line, none for longer than LINE_SECONDS where the system has an alarm for it."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._find = pattern.finditer
        self._armed = False
        self._arm = getattr(signal, "setitimer", None)
        if self._arm is not None:
            signal.signal(signal.SIGALRM, self._on_alarm)

    def _on_alarm(self, _number: int, _frame: object) -> None:
        if self._armed:
            raise _TooLongError

    def spans(self, line: str) -> list[tuple[int, int]] | None:
        """Start and end of each match that is not empty; None when it takes too long."""
        found = []
        try:
            self._armed = True
            if self._arm is not None:
                self._arm(signal.ITIMER_REAL, LINE_SECONDS)
            for match in self._find(line):
                start, end = match.span()
                if end > start:
                    found.append((start, end))
                    if len(found) >= MOST_IN_LINE:
                        break
            self._armed = False
        except _TooLongError:
            self._armed = False
            return None
        return found

    def all(self, text: bytes) -> tuple[int, array[int]]:
        """How many lines were left out, and the triples of the matches in the others."""
        triples, left_out = array("I"), 0
        for place, line in enumerate(text[:-1].decode("utf-8", "replace").split("\n")):
            spans = self.spans(line)
            if spans is None:
                left_out += 1
                if left_out > LEFT_OUT:
                    break
                continue
            for start, end in spans:
                triples.extend((place, start, end))
        if self._arm is not None:
            self._arm(signal.ITIMER_REAL, 0)
        return left_out, triples


def serve(source: BinaryIO, target: BinaryIO) -> None:
    """Answers until the input ends."""

    def answer(kind: bytes, number: int, body: bytes) -> None:
        target.write(HEAD.pack(kind, number, len(body)) + body)
        target.flush()

    finder: Finder | None = None
    left_out = 0
    while head := source.read(HEAD.size):
        kind, number, size = HEAD.unpack(head)
        body = source.read(size)
        if kind == PATTERN:
            try:
                finder = Finder(re.compile(body.decode("utf-8"), re.NOFLAG if number else re.IGNORECASE))
            except (re.error, RecursionError, OverflowError, ValueError) as error:
                answer(REFUSAL, 0, f"Not a regular expression: {error}".encode("utf-8", "replace"))
                return
        elif finder is not None:
            missed, triples = finder.all(body)
            answer(FOUND, missed, triples.tobytes())
            left_out += missed
            if left_out > LEFT_OUT:
                answer(GAVE_UP, 0, b"")
                return


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
