"""LogPainter: where the columns of a log are and how one row of a line is drawn."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Final, NamedTuple

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from app.theme import Theme
from app.widgets import loglevels
from app.widgets.ansi import Color, Style, to_rgb
from app.widgets.logline import LogLine

LEFT: Final = 16
TIME_WIDTH: Final = 104
LEVEL_WIDTH: Final = 52
RIGHT: Final = 20
_LEVEL_TOKENS: Final = ("text-secondary", "danger", "warning", "text-secondary", "text-tertiary")
_PALETTE: Final = (
    "text-tertiary", "danger", "success", "warning", "info", "syn-number", "accent", "text-secondary",
    "text-tertiary", "danger", "success", "warning", "info", "syn-number", "accent", "text",
)  # fmt: skip


class Mark(NamedTuple):
    """A part of a line's text that stands out: a match, the current match or what is selected."""

    start: int
    end: int
    kind: str


class LogPainter:
    """Columns in pixels and the drawing of rows; `levels` says that the log names levels at the start of lines."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self.row_height = theme.height("log_line")
        self.levels = False
        self.times = True
        self.load()

    def load(self) -> None:
        """Takes fonts and colours anew, after the theme changed."""
        self.font = QFont(self._theme.font("mono"))
        self.bold = QFont(self.font)
        self.bold.setWeight(QFont.Weight.DemiBold)
        self._metrics = QFontMetricsF(self.font)
        self.cell = self._metrics.horizontalAdvance("0" * 100) / 100
        self._baseline = (self.row_height + self._metrics.ascent() - self._metrics.descent()) / 2
        self._readable: dict[Color, QColor] = {}

    @property
    def level_x(self) -> float:
        """Where the level stands."""
        return LEFT + (TIME_WIDTH if self.times else 0)

    @property
    def text_x(self) -> float:
        """Where the text stands."""
        return self.level_x + (LEVEL_WIDTH if self.levels else 0)

    def columns(self, width: int) -> int:
        """How many characters fit a row when lines wrap."""
        return max(8, int((width - self.text_x - RIGHT) / self.cell))

    def rows(self, line: LogLine, columns: int) -> int:
        """How many rows a line takes when it wraps after `columns` characters."""
        length = len(line.text) - self.lead(line)
        return max(1, -(-length // (columns // line.cells)))

    def part(self, line: LogLine, row: int, columns: int) -> tuple[int, int]:
        """The characters that stand in a row of a wrapped line."""
        step = columns // line.cells
        start = self.lead(line) + row * step
        return start, min(len(line.text), start + step)

    def lead(self, line: LogLine) -> int:
        """How many characters stand in the column of the level."""
        return line.lead if self.levels else 0

    def width(self, line: LogLine) -> float:
        """The width of a line that does not wrap."""
        length = len(line.text) - self.lead(line)
        return self.text_x + RIGHT + length * self.cell * line.cells

    def x_of(self, line: LogLine, column: int, start: int) -> float:
        """The distance of a character from the place of `start` in the same row."""
        if line.plain:
            return (column - start) * self.cell
        return self._metrics.horizontalAdvance(line.text[start:column])

    def column_at(self, line: LogLine, x: float, start: int, end: int) -> int:
        """The character nearest to `x` pixels right of `start`."""
        if line.plain:
            return max(start, min(end, start + round(x / self.cell)))
        low, high = start, end
        while low < high:
            middle = (low + high + 1) // 2
            if self.x_of(line, middle, start) <= x + self.cell / 2:
                low = middle
            else:
                high = middle - 1
        return low

    def paint_row(
        self,
        painter: QPainter,
        y: float,
        width: int,
        line: LogLine,
        part: tuple[int, int],
        marks: Iterable[Mark],
        time: str,
        scroll: float,
        *,
        head: bool,
    ) -> None:
        """Draws one row; `head` is the first row of its line, with time, level and the sign of stderr."""
        theme = self._theme
        if line.level == loglevels.ERROR:
            painter.fillRect(QRectF(0, y, width, self.row_height), theme.color("danger-soft"))
        if line.level in (loglevels.ERROR, loglevels.WARN):
            token = "danger-fill" if line.level == loglevels.ERROR else "warning-fill"
            painter.fillRect(QRectF(0, y, 3, self.row_height), theme.color(token))
        marks = list(marks)
        base = y + self._baseline
        painter.save()
        painter.translate(-scroll, 0)
        if head:
            self._paint_head(painter, y, base, line, marks, time, scroll)
        painter.setClipRect(QRectF(scroll + 4, y, width, self.row_height))
        start, end = part
        first = start
        if line.plain:
            first = min(end, max(start, start + int((scroll - self.text_x) / self.cell)))
            end = min(end, first + int(width / self.cell) + 2)
        elif end - start > 4000:
            end = start + 4000
        x = self.text_x + self.x_of(line, first, start)
        self._paint_text(painter, x, base, line, (first, end), marks, self._base_color(line))
        painter.restore()

    def _paint_head(
        self, painter: QPainter, y: float, base: float, line: LogLine, marks: list[Mark], time: str, scroll: float
    ) -> None:
        theme = self._theme
        painter.setFont(self.font)
        if line.stderr:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("chart-2"))
            middle = y + self.row_height / 2
            painter.drawPolygon(
                [QPointF(scroll + 7, middle - 3), QPointF(scroll + 11, middle), QPointF(scroll + 7, middle + 3)]
            )
        if self.times and time and not line.follows:
            painter.setPen(theme.color("text-secondary" if line.level == loglevels.ERROR else "text-tertiary"))
            painter.drawText(QPointF(LEFT, base), time)
        if self.lead(line):
            word = (line.word[0], min(line.word[1], line.word[0] + 7))
            self._paint_text(painter, self.level_x, base, line, word, marks, theme.color(_LEVEL_TOKENS[line.level]))

    def _base_color(self, line: LogLine) -> QColor:
        if line.level == loglevels.ERROR:
            return self._theme.color("text-secondary" if line.follows and not line.exception else "danger")
        return self._theme.color("text-secondary" if line.level == loglevels.DEBUG else "text")

    def _paint_text(
        self,
        painter: QPainter,
        x: float,
        base: float,
        line: LogLine,
        part: tuple[int, int],
        marks: list[Mark],
        color: QColor,
    ) -> None:
        start, end = part
        if start >= end:
            return
        cuts = {start, end}
        runs = [r for r in line.runs if r.start < end and r.end > start]
        for piece in (*runs, *marks, (*line.word, "")):
            cuts.update(c for c in (piece[0], piece[1]) if start < c < end)
        ordered = sorted(cuts)
        for left, right in itertools.pairwise(ordered):
            at = x + self.x_of(line, left, start)
            wide = self.x_of(line, right, left)
            mark = next((m.kind for m in reversed(marks) if m.start <= left < m.end), "")
            style = next((r.style for r in runs if r.start <= left < r.end), None)
            pen = self._pen(line, left, color, style)
            box = QRectF(at, base - self._baseline + 1, wide, self.row_height - 2)
            if style is not None and (style.back is not None or style.inverse):
                pen = self._paint_back(painter, box, style, pen)
            if mark:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(self._theme.color(mark))
                if mark == "selection":
                    painter.drawRect(box.adjusted(0, -1, 0, 1))
                else:
                    painter.drawRoundedRect(box, 2, 2)
                pen = (
                    self._theme.color("on-match" if mark == "match-current" else "text") if mark != "selection" else pen
                )
            painter.setFont(self.bold if style is not None and style.bold else self.font)
            painter.setPen(pen)
            painter.drawText(QPointF(at, base), line.text[left:right])
            if style is not None and style.underline:
                painter.drawLine(QPointF(at, base + 2), QPointF(at + wide, base + 2))

    def _pen(self, line: LogLine, column: int, color: QColor, style: Style | None) -> QColor:
        if style is not None and (style.fore is not None or style.faint):
            return self._theme.color("text-tertiary") if style.fore is None else self._readable_color(style.fore)
        if line.word[0] <= column < line.word[1]:
            return self._theme.color(_LEVEL_TOKENS[line.level])
        return color

    def _paint_back(self, painter: QPainter, box: QRectF, style: Style, pen: QColor) -> QColor:
        """The background that the log asks for, softened so that any text on it can be read."""
        back = pen if style.back is None else self._readable_color(style.back)
        soft = QColor(back)
        soft.setAlphaF(0.18)
        painter.fillRect(box, soft)
        return pen

    def _readable_color(self, color: Color) -> QColor:
        """The theme's colour for one of a terminal, light enough or dark enough for the log's background."""
        found = self._readable.get(color)
        if found is None:
            if isinstance(color, int) and color < 16:
                found = self._theme.color(_PALETTE[color])
            elif color is None:
                found = self._theme.color("text")
            else:
                found = _against(
                    QColor(*(to_rgb(color) if isinstance(color, int) else color)), self._theme.color("code-bg")
                )
            self._readable[color] = found
            if len(self._readable) > 2000:
                self._readable.clear()
        return found


def _luminance(color: QColor) -> float:
    def channel(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    return 0.2126 * channel(color.redF()) + 0.7152 * channel(color.greenF()) + 0.0722 * channel(color.blueF())


def contrast(one: QColor, other: QColor) -> float:
    """The ratio of WCAG 2.1, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _against(color: QColor, back: QColor) -> QColor:
    """`color`, moved towards white or black until it has 4.5 to 1 on `back`."""
    dark = _luminance(back) < 0.5
    for step in range(21):
        share = step / 20
        target = 1.0 if dark else 0.0
        mixed = QColor.fromRgbF(*(c + (target - c) * share for c in (color.redF(), color.greenF(), color.blueF())))
        if contrast(mixed, back) >= 4.5:
            return mixed
    return QColor("white" if dark else "black")
