"""CodeView: a Dockerfile to read, with colours, line numbers and what is wrong under its line."""

from __future__ import annotations

import re

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QWidget

from app.theme import Theme
from app.widgets.painted import PaintedRows
from app.widgets.text import visible_name

GUTTER = 52
ERROR_ROW = 30
LONGEST = 2_000
_WORD = (
    "FROM|RUN|CMD|LABEL|EXPOSE|ENV|ADD|COPY|ENTRYPOINT|VOLUME|USER|WORKDIR|ARG|ONBUILD|STOPSIGNAL|HEALTHCHECK|SHELL"
    "|MAINTAINER"
)
_TOKENS = re.compile(
    rf"(?P<keyword>^\s*(?:{_WORD})\b|(?<=\s)AS(?=\s))|(?P<string>\"(?:[^\"\\]|\\.)*\"|'[^']*')"
    r"|(?P<variable>(?<=\s)--[a-z][\w-]*|\$\{[^}]*\}|\$\w+)|(?P<number>(?<=[\s=:])\d+(?=[\s/]|$))",
    re.IGNORECASE,
)


def pieces(line: str) -> list[tuple[str, str]]:
    """The line cut into pieces with the token of their colour."""
    if line.lstrip().startswith("#"):
        return [(line, "syn-comment")]
    found: list[tuple[str, str]] = []
    at = 0
    for match in _TOKENS.finditer(line):
        if match.start() > at:
            found.append((line[at : match.start()], "text"))
        found.append((match[0], f"syn-{match.lastgroup}"))
        at = match.end()
    if at < len(line):
        found.append((line[at:], "text"))
    return found


class CodeView(PaintedRows):
    """Shows text that cannot be changed. An error has a row of its own under its line."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "Dockerfile", "code-bg", parent)
        self._lines: list[str] = []
        self._error_line = 0
        self._error = ""
        self._word = ""

    @property
    def lines(self) -> list[str]:
        """The lines shown."""
        return list(self._lines)

    def set_text(self, text: str) -> None:
        """Shows the text from its first line; forgets the error."""
        lines = [visible_name(line, LONGEST) if line else "" for line in text.expandtabs(4).splitlines()]
        if lines != self._lines:
            self._lines = lines
            self.verticalScrollBar().setValue(0)
        self.set_error(0, "")

    def set_error(self, line: int, message: str, word: str = "") -> None:
        """Marks a line (from 1; 0 takes the mark away) and says why; `word` is underlined."""
        inside = 0 < line <= len(self._lines)
        self._error_line, self._error, self._word = (line if inside else 0), message, word
        height = self.theme.height("editor_line")
        heights = [height] * len(self._lines)
        if inside:
            heights.insert(line, ERROR_ROW)
        metrics = QFontMetrics(self.theme.font("mono"))
        widest = max((metrics.horizontalAdvance(t) for t in self._lines), default=0)
        self.set_heights(heights, GUTTER + widest + 16, 8)
        if inside:
            self.show_row(line)
            self.show_row(line - 1)
        self.setAccessibleDescription(f"Line {line}: {message}" if inside else "")

    def paint_row(self, painter: QPainter, row: int, rect: QRect) -> None:
        """Paints a line or the error."""
        if self._error_line and row == self._error_line:
            self._paint_error(painter, rect)
            return
        number = row + 1 if not self._error_line or row < self._error_line else row
        wrong = number == self._error_line
        if wrong:
            painter.fillRect(rect, self.theme.color("danger-soft"))
            painter.drawPixmap(rect.left() + 6, rect.center().y() - 6, self.theme.pixmap("circle-alert", "danger", 12))
        font = self.theme.font("mono")
        painter.setFont(font)
        metrics = QFontMetrics(font)
        painter.setPen(self.theme.color("text-secondary" if wrong else "text-tertiary"))
        gutter = QRect(rect.left(), rect.top(), GUTTER - 14, rect.height())
        painter.drawText(gutter, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(number))
        x = rect.left() + GUTTER
        base = rect.top() + (rect.height() - metrics.height()) // 2 + metrics.ascent()
        line = self._lines[number - 1]
        for text, token in pieces(line):
            painter.setPen(self.theme.color(token))
            painter.drawText(QPoint(x, base), text)
            x += metrics.horizontalAdvance(text)
        if wrong and self._word and (at := line.find(self._word)) >= 0:
            left = rect.left() + GUTTER + metrics.horizontalAdvance(line[:at])
            mark = QRect(left, base + 4, metrics.horizontalAdvance(self._word), 2)
            painter.fillRect(mark, self.theme.color("danger-fill"))

    def _paint_error(self, painter: QPainter, rect: QRect) -> None:
        painter.fillRect(rect, self.theme.color("danger-soft"))
        left = max(rect.left(), 0) + GUTTER
        painter.drawPixmap(left, rect.center().y() - 7, self.theme.pixmap("circle-alert", "danger", 14))
        font = self.theme.font("small")
        painter.setFont(font)
        painter.setPen(self.theme.color("text"))
        room = QRect(left + 22, rect.top(), self.viewport().width() - left - 38, rect.height())
        words = visible_name(" ".join(self._error.split()), LONGEST)
        words = QFontMetrics(font).elidedText(words, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
