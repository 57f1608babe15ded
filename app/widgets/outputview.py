"""OutputView: lines that a job writes, bounded, following the end until a person scrolls up."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QFontMetrics, QGuiApplication, QKeyEvent, QKeySequence, QPainter, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.theme import Theme
from app.widgets.painted import PaintedRows

MOST = 20_000
LONGEST = 2_000
_PREFIX = re.compile(r"^#\d+ +\d+\.\d ")
_WARNING = re.compile(r"^\W*(?:warn(?:ing)?)\b", re.IGNORECASE)
_ERROR = re.compile(r"^\W*(?:error|fatal|E:)", re.IGNORECASE)


class OutputView(PaintedRows):
    """The last MOST lines. Copy takes them all."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "Output", "code-bg", parent)
        self._lines: deque[str] = deque(maxlen=MOST)

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(self._lines)

    def set_lines(self, lines: Iterable[str]) -> None:
        """Replaces what is shown and goes to its end."""
        self._lines.clear()
        self.add_lines(lines)
        self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())

    def add_lines(self, lines: Iterable[str]) -> None:
        """Adds lines; follows them when the end was in sight."""
        bar = self.verticalScrollBar()
        following = bar.value() >= bar.maximum()
        self._lines.extend(lines)
        longest = min(max(map(len, self._lines), default=0), LONGEST)
        wide = QFontMetrics(self.theme.font("mono")).horizontalAdvance("0") * longest + 32
        self.set_heights([self.theme.height("log_line")] * len(self._lines), wide, 4)
        if following:
            bar.setValue(bar.maximum())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keeps the end in sight when it was."""
        bar = self.verticalScrollBar()
        following = bar.value() >= bar.maximum()
        super().resizeEvent(event)
        if following:
            bar.setValue(bar.maximum())

    def copy(self) -> None:
        """Puts all lines on the clipboard."""
        QGuiApplication.clipboard().setText(self.text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copies with the usual key."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
            return
        super().keyPressEvent(event)

    def paint_row(self, painter: QPainter, row: int, rect: QRect) -> None:
        """Paints one line."""
        line = self._lines[row][:LONGEST]
        font = self.theme.font("mono")
        metrics = QFontMetrics(font)
        painter.setFont(font)
        prefix = found[0] if (found := _PREFIX.match(line)) else ""
        rest = line[len(prefix) :]
        base = rect.top() + (rect.height() - metrics.height()) // 2 + metrics.ascent()
        painter.setPen(self.theme.color("text-tertiary"))
        painter.drawText(QPoint(rect.left() + 16, base), prefix)
        token = "warning" if _WARNING.match(rest) else "danger" if _ERROR.match(rest) else "text"
        painter.setPen(self.theme.color(token))
        painter.drawText(QPoint(rect.left() + 16 + metrics.horizontalAdvance(prefix), base), rest)
