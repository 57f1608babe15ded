"""Chart: a card with lines over time, a limit, marks for events, and a crosshair that other charts can share."""

from __future__ import annotations

import math
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import Theme
from app.widgets import paint

LEFT, RIGHT, TOP, BOTTOM = 64, 26, 47, 22
HEIGHT: Final = 194
_NICE: Final = (1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20)
TICK_SECONDS: Final = (10, 30, 60, 120, 300, 600, 1800)


@dataclass(frozen=True, slots=True)
class Series:
    """One line: (Unix time, value) oldest first, None where a gap is. `dashed` tells it apart beside its colour."""

    name: str
    token: str
    points: tuple[tuple[float, float | None], ...] = ()
    dashed: bool = False
    filled: bool = True

    def at(self, moment: float) -> float | None:
        """The value nearest to a moment, None when it lies in a gap."""
        if not self.points:
            return None
        i = bisect_left(self.points, moment, key=lambda p: p[0])
        near = self.points[max(0, i - 1) : i + 1]
        when, value = min(near, key=lambda p: abs(p[0] - moment))
        return value if abs(when - moment) < 5 else None


@dataclass(frozen=True, slots=True)
class Mark:
    """An event at a Unix time: `role` is danger (a line) or neutral (a dashed line)."""

    at: float
    words: str
    role: str = "neutral"


def nice_top(value: float) -> float:
    """The least round number that leaves some air above `value`, and half of which can be told without decimals."""
    if value <= 0 or not math.isfinite(value):
        return 1.0
    size = 10.0 ** math.floor(math.log10(value))
    return next(step * size for step in _NICE if step * size >= value * 1.08 and _halves(step * size))


def _halves(value: float) -> bool:
    """Whether half of `value` is whole in the unit that it is told in, which is a power of a thousand."""
    told = round(value / 1000.0 ** math.floor(round(math.log10(value), 9) / 3), 6)
    return told == 1 or told % 2 == 0


class Chart(QWidget):
    """`hovered(float)` is the Unix time under the pointer, -1.0 when it left; give it to `set_crosshair` of all."""

    hovered = Signal(float)

    def __init__(
        self, theme: Theme, title: str, words: Callable[[float | None], str], least: float = 1.0,
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        """`words` writes a value with its unit; the axis shows `least` at least."""
        super().__init__(parent)
        self._theme, self._title, self._words, self._least = theme, title, words, least
        self._series: tuple[Series, ...] = ()
        self._span = (0.0, 1.0)
        self._value, self._detail = "", ""
        self._limit: float | None = None
        self._limit_words = ""
        self._marks: tuple[Mark, ...] = ()
        self._mark_words = False
        self._cross = -1.0
        self._faded = False
        self.setMinimumSize(QSize(320, HEIGHT))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(HEIGHT)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(title)
        theme.changed.connect(self.update)

    @property
    def top(self) -> float:
        """The value at the top of the axis."""
        highest = max((v for s in self._series for _, v in s.points if v is not None), default=0.0)
        if self._limit is not None and highest > self._limit * 0.3:
            highest = max(highest, self._limit)
        return nice_top(max(highest, self._least))

    @property
    def series(self) -> tuple[Series, ...]:
        """The lines shown."""
        return self._series

    def set_series(self, series: Sequence[Series], start: float, end: float) -> None:
        """Other lines, from `start` to `end` in Unix seconds."""
        self._series, self._span = tuple(series), (start, max(end, start + 1))
        self.update()

    def set_head(self, value: str, detail: str = "") -> None:
        """The value now and what stands beside it."""
        self._value, self._detail = value, detail
        self.setAccessibleDescription(f"{value} {detail}".strip())
        self.update()

    def set_faded(self, faded: bool) -> None:
        """Whether the value is what was last known, and no figure of now."""
        if faded != self._faded:
            self._faded = faded
            self.update()

    def set_limit(self, limit: float | None, words: str = "") -> None:
        """A dotted line that the value must not pass."""
        self._limit, self._limit_words = limit, words
        self.update()

    def set_marks(self, marks: Sequence[Mark], *, words: bool) -> None:
        """Events; with `words` or as small flags only."""
        self._marks, self._mark_words = tuple(marks), words
        self.update()

    def set_crosshair(self, at: float) -> None:
        """A line at a Unix time, and the values there in the head; -1 for none."""
        if at != self._cross:
            self._cross = at
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The moment under the pointer."""
        plot = self._plot()
        x = event.position().x()
        inside = plot.left() <= x <= plot.right()
        self.hovered.emit(self._moment(x) if inside else -1.0)

    def leaveEvent(self, event: object) -> None:
        """No moment."""
        del event
        self.hovered.emit(-1.0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and Right move the crosshair."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        start, end = self._span
        at = (self._cross if self._cross > 0 else end) + step * (end - start) / 60
        self.hovered.emit(min(max(at, start), end))

    def _plot(self) -> QRectF:
        return QRectF(LEFT + 0.5, TOP + 0.5, self.width() - LEFT - RIGHT - 1, self.height() - TOP - BOTTOM - 1)

    def _moment(self, x: float) -> float:
        plot = self._plot()
        start, end = self._span
        return start + (x - plot.left()) / max(plot.width(), 1) * (end - start)

    def _x(self, at: float) -> float:
        plot = self._plot()
        start, end = self._span
        return plot.left() + (at - start) / (end - start) * plot.width()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Card, head, grid, lines, limit, marks and crosshair."""
        painter = QPainter(self)
        theme = self._theme
        paint.rounded(painter, self.rect(), theme.radius("card"), theme.color("surface"), theme.color("border"))
        self._paint_head(painter)
        top = self.top
        self._paint_grid(painter, top)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.save()
        painter.setClipRect(self._plot().adjusted(0, -3, 1, 1))
        for series in self._series:
            self._paint_series(painter, series, top)
        painter.restore()
        self._paint_limit(painter, top)
        self._paint_marks(painter)
        self._paint_cross(painter, top)
        if self.hasFocus():
            pen = QPen(theme.color("focus"), 2)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)

    def _paint_head(self, painter: QPainter) -> None:
        theme = self._theme
        x = 15
        strong, small = theme.font("body_strong"), theme.font("small")
        value, detail = self._value, self._detail
        tone = "text-secondary" if self._faded else "text"
        if self._cross > 0 and self._series:
            value = self._words(self._series[0].at(self._cross)) if len(self._series) == 1 else ""
            detail = time.strftime("at %H:%M:%S", time.localtime(self._cross))
        for words, font, token, gap in (
            (self._title, strong, "text", 10), (value, strong, tone, 8), (detail, small, "text-secondary", 0),
        ):  # fmt: skip
            if words:
                paint.text(painter, QRect(x, 10, self.width() - x, 20), words, font, theme.color(token))
                x += paint.width_of(words, font) + gap
        if len(self._series) > 1:
            self._paint_legend(painter)

    def _paint_legend(self, painter: QPainter) -> None:
        theme = self._theme
        font = theme.font("small")
        x = self.width() - 14
        for series in reversed(self._series):
            at = series.at(self._cross) if self._cross > 0 else series.points[-1][1] if series.points else None
            words = f"{series.name} {self._words(at).removesuffix('/s')}"
            x -= paint.width_of(words, font)
            paint.text(painter, QRect(x, 10, self.width() - x, 20), words, font, theme.color("text-secondary"))
            painter.setPen(self._pen(series, 2))
            painter.drawLine(x - 22, 20, x - 8, 20)
            x -= 38

    def _pen(self, series: Series, width: float = 1.5) -> QPen:
        pen = QPen(self._theme.color(series.token), width)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if series.dashed:
            pen.setDashPattern([2.6, 1.8])
        return pen

    def _paint_grid(self, painter: QPainter, top: float) -> None:
        theme, plot = self._theme, self._plot()
        font, quiet = theme.font("caption"), theme.color("text-secondary")
        for share in (0.0, 0.5, 1.0):
            y = plot.bottom() - share * plot.height()
            painter.fillRect(QRectF(plot.left(), y - 0.5, plot.width(), 1), theme.color("border"))
            words = "0" if share == 0 else self._words(top * share)
            box = QRect(0, round(y) - 9, LEFT - 8, 18)
            paint.text(painter, box, words, font, quiet, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        start, end = self._span
        step = next((s for s in TICK_SECONDS if (end - start) / s <= 7), TICK_SECONDS[-1])
        at = math.ceil(start / step) * step
        while at <= end:
            words = time.strftime("%H:%M" if step >= 60 else "%H:%M:%S", time.localtime(at))
            half = paint.width_of(words, font) // 2
            x = min(round(self._x(at)), self.width() - half - 4)
            paint.text(painter, QRect(x - half, self.height() - 19, half * 2 + 4, 14), words, font, quiet)
            at += step

    def _paint_series(self, painter: QPainter, series: Series, top: float) -> None:
        plot = self._plot()
        scale = plot.height() / top
        run: list[QPointF] = []
        for when, value in (*series.points, (0.0, None)):
            if value is not None:
                run.append(QPointF(self._x(when), plot.bottom() - value * scale))
            elif run:
                self._paint_run(painter, series, run)
                run = []

    def _paint_run(self, painter: QPainter, series: Series, run: list[QPointF]) -> None:
        bottom = self._plot().bottom()
        if series.filled and not series.dashed:
            fill = QColor(self._theme.color(series.token))
            fill.setAlphaF(0.13)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(fill)
            painter.drawPolygon(QPolygonF([QPointF(run[0].x(), bottom), *run, QPointF(run[-1].x(), bottom)]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(self._pen(series))
        painter.drawPolyline(QPolygonF(run))

    def _paint_limit(self, painter: QPainter, top: float) -> None:
        if self._limit is None or self._limit > top:
            return
        plot = self._plot()
        y = plot.bottom() - self._limit / top * plot.height()
        pen = QPen(self._theme.color("danger"), 1.2, Qt.PenStyle.DotLine)
        painter.setPen(pen)
        painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
        box = QRect(round(plot.left()) + 6, round(y) + 2, 200, 16)
        paint.text(painter, box, self._limit_words, self._theme.font("caption"), self._theme.color("danger"))

    def _paint_marks(self, painter: QPainter) -> None:
        plot, theme = self._plot(), self._theme
        font = theme.font("caption")
        for mark in self._marks:
            if not self._span[0] <= mark.at <= self._span[1]:
                continue
            danger = mark.role == "danger"
            color = theme.color("danger" if danger else "text-secondary")
            x = round(self._x(mark.at)) + 0.5
            painter.setPen(QPen(color, 1, Qt.PenStyle.SolidLine if danger else Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, plot.top() - 12), QPointF(x, plot.bottom()))
            if not self._mark_words:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(color)
                flag = [QPointF(x - 3, plot.top() - 14), QPointF(x + 3, plot.top() - 14), QPointF(x, plot.top() - 9)]
                painter.drawPolygon(QPolygonF(flag))
                continue
            words = f"{mark.words} {time.strftime('%H:%M', time.localtime(mark.at))}"
            width = paint.width_of(words, font)
            left = round(x) - width - 5 if danger or x + width + 8 > self.width() else round(x) + 5
            paint.text(painter, QRect(left, round(plot.top()) - 18, width + 4, 16), words, font, color)

    def _paint_cross(self, painter: QPainter, top: float) -> None:
        if not self._span[0] <= self._cross <= self._span[1]:
            return
        plot = self._plot()
        x = self._x(self._cross)
        painter.setPen(QPen(self._theme.color("border-strong"), 1))
        painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
        painter.setPen(QPen(self._theme.color("surface"), 1.5))
        for series in self._series:
            value = series.at(self._cross)
            if value is not None:
                painter.setBrush(self._theme.color(series.token))
                painter.drawEllipse(QPointF(x, plot.bottom() - value / top * plot.height()), 4, 4)


def with_points(series: Series, points: Sequence[tuple[float, float | None]]) -> Series:
    """The same line with other points."""
    return replace(series, points=tuple(points))
