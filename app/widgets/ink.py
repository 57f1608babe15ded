"""Ink: text drawn fast, with laid-out texts, widths and elisions kept between paints."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QStaticText, QTransform

from app.theme import Theme
from app.widgets.text import visible_name

MOST_KEPT = 8_000
_ELIDE = {"right": Qt.TextElideMode.ElideRight, "middle": Qt.TextElideMode.ElideMiddle}
Elide = Literal["right", "middle"]
Face = tuple[int, int, bool]
"""Size in px, weight, mono."""


class Ink:
    """Draws single lines of text on a baseline. Control and direction characters are shown as escapes."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._fonts: dict[Face, tuple[QFont, QFontMetricsF]] = {}
        self._static: dict[tuple[str, Face], tuple[QStaticText, float]] = {}
        self._elided: dict[tuple[str, Face, int, Elide], str] = {}

    def font(self, face: Face) -> QFont:
        """The font of a face."""
        return self._face(face)[0]

    def width(self, text: str, face: Face) -> float:
        """The width of a text in px."""
        return self._laid_out(text, face)[1]

    def draw(self, painter: QPainter, x: float, baseline: float, text: str, face: Face, token: str) -> float:
        """Draws `text` from `x` and returns its width."""
        font, metrics = self._face(face)
        static, width = self._laid_out(text, face)
        painter.setFont(font)
        painter.setPen(self._theme.color(token))
        painter.drawStaticText(QPointF(x, baseline - metrics.ascent()), static)
        return width

    def draw_elided(
        self,
        painter: QPainter,
        x: float,
        baseline: float,
        text: str,
        face: Face,
        token: str,
        room: float,
        elide: Elide = "right",
    ) -> float:
        """Draws at most `room` px of `text`; returns the width that was used."""
        if room < 8:
            return 0.0
        return self.draw(painter, x, baseline, self.elided(text, face, room, elide), face, token)

    def elided(self, text: str, face: Face, room: float, elide: Elide = "right") -> str:
        """`text`, cut to `room` px with an ellipsis where it is longer."""
        if self.width(text, face) <= room:
            return text
        key = (text, face, int(room), elide)
        found = self._elided.get(key)
        if found is None:
            if len(self._elided) > MOST_KEPT:
                self._elided.clear()
            found = self._face(face)[1].elidedText(visible_name(text), _ELIDE[elide], int(room))
            self._elided[key] = found
        return found

    def _face(self, face: Face) -> tuple[QFont, QFontMetricsF]:
        found = self._fonts.get(face)
        if found is None:
            size, weight, mono = face
            font = self._theme.make_font(size, weight, mono=mono)
            found = self._fonts[face] = (font, QFontMetricsF(font))
        return found

    def _laid_out(self, text: str, face: Face) -> tuple[QStaticText, float]:
        key = (text, face)
        found = self._static.get(key)
        if found is None:
            if len(self._static) > MOST_KEPT:
                self._static.clear()
            static = QStaticText(visible_name(text))
            static.setTextFormat(Qt.TextFormat.PlainText)
            static.setPerformanceHint(QStaticText.PerformanceHint.AggressiveCaching)
            font, metrics = self._face(face)
            static.prepare(QTransform(), font)
            found = self._static[key] = (static, metrics.horizontalAdvance(static.text()))
        return found
