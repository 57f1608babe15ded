"""RegexSearch: a regular expression at work in a process of its own, which can be stopped at any moment."""

from __future__ import annotations

import sys
from array import array
from pathlib import Path
from typing import Final

from PySide6.QtCore import QCoreApplication, QObject, QProcess, QTimer, Signal

from app.widgets.regexchild import FOUND, GAVE_UP, HEAD, LINES, PATTERN, REFUSAL

AT_ONCE: Final = 8
"""Slices that are on their way."""
SILENT_MS: Final = 10_000
"""A process that owes an answer for longer is given up."""
TOO_LONG: Final = "The expression takes too long on this log; the search has stopped"


class RegexSearch(QObject):
    """One pattern. `send` slices while there is `room`.

    Signals: `found(number, triples, left_out)` for each slice, in order, with the number that it was sent with, its
    matches as place of the line, start, end (see regexchild), and the lines that took too long; `refused(why)` when
    the pattern is none; `gave_up(why)` when it takes too long or the process died.
    """

    found = Signal(int, object, int)
    refused = Signal(str)
    gave_up = Signal(str)

    def __init__(self, pattern: str, *, case: bool, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._sent: list[int] = []
        self._came = bytearray()
        # The program's, not this object's: a process ends after its kill, and nobody should wait for that.
        app = QCoreApplication.instance()
        self._process: QProcess | None = QProcess(app)
        self._process.setStandardErrorFile(QProcess.nullDevice())
        self._process.finished.connect(self._process.deleteLater)
        self.destroyed.connect(self._process.kill)
        self._process.readyReadStandardOutput.connect(self._on_output)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)
        script = Path(__file__).with_name("regexchild.py")
        self._process.start(sys.executable, ["-I", "-S", "-B", str(script)])
        self._silence = QTimer(self, interval=SILENT_MS, singleShot=True)
        self._silence.timeout.connect(lambda: self._give_up(TOO_LONG))
        text = pattern.encode("utf-8", "replace")
        self._process.write(HEAD.pack(PATTERN, case, len(text)) + text)

    @property
    def process_id(self) -> int:
        """The process that does the work; 0 when there is none."""
        return self._process.processId() if self._process is not None else 0

    @property
    def room(self) -> bool:
        """Whether one more slice may be sent."""
        return self._process is not None and len(self._sent) < AT_ONCE

    @property
    def busy(self) -> bool:
        """Whether an answer has not come."""
        return bool(self._sent)

    def send(self, number: int, lines: bytes) -> None:
        """Has lines searched, each with a newline at its end."""
        if self._process is not None:
            self._process.write(HEAD.pack(LINES, 0, len(lines)) + lines)
            self._sent.append(number)
            if not self._silence.isActive():
                self._silence.start()

    def close(self) -> None:
        """Ends the process at once."""
        process, self._process = self._process, None
        if process is not None:
            self._silence.stop()
            self._sent.clear()
            process.kill()

    def _on_output(self) -> None:
        if self._process is not None:
            self._came += self._process.readAllStandardOutput().data()
            while self._take_answer():
                pass

    def _take_answer(self) -> bool:
        if self._process is None or len(self._came) < HEAD.size:
            return False
        kind, number, size = HEAD.unpack_from(self._came)
        if len(self._came) < HEAD.size + size:
            return False
        body = bytes(self._came[HEAD.size : HEAD.size + size])
        del self._came[: HEAD.size + size]
        self._answer(kind, number, body)
        return True

    def _answer(self, kind: bytes, number: int, body: bytes) -> None:
        if kind == FOUND and self._sent:
            self._silence.stop()
            first = self._sent.pop(0)
            if self._sent:
                self._silence.start()
            self.found.emit(first, array("I", body), number)
        elif kind == REFUSAL:
            self.close()
            self.refused.emit(body.decode("utf-8", "replace"))
        elif kind == GAVE_UP:
            self._give_up(TOO_LONG)

    def _give_up(self, why: str) -> None:
        if self._process is not None:
            self.close()
            self.gave_up.emit(why)

    def _on_finished(self) -> None:
        self._on_output()
        self._give_up("The search ended by itself")

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart and self._process is not None:
            self._give_up(f"The search could not start. {self._process.errorString()}")
