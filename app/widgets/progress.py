"""Rings, bars and the bars of many parts, painted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import Theme
from app.widgets import paint
from app.widgets.spin import Spinner
from app.widgets.text import visible_name

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class PartLike(Protocol):
    """One part of a progress: `total` is 0 when unknown."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def words(self) -> str: ...  # noqa: D102
    @property
    def done(self) -> int: ...  # noqa: D102
    @property
    def total(self) -> int: ...  # noqa: D102
    @property
    def ended(self) -> bool: ...  # noqa: D102


def paint_bar(painter: QPainter, theme: Theme, box: QRect, share: float, token: str = "accent") -> None:
    """A bar of 4 px filled to `share` (0 to 1); also for rows."""
    paint.rounded(painter, box, theme.radius("bar"), theme.color("track"))
    if share > 0:
        full = QRect(box.left(), box.top(), max(4, round(box.width() * min(1.0, share))), box.height())
        paint.rounded(painter, full, theme.radius("bar"), theme.color(token))


class Ring(QWidget):
    """Turns while something of unknown length goes on."""

    def __init__(self, theme: Theme, size: int = 14, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setFixedSize(size, size)
        self.setAccessibleName("Working")
        self._spinner = Spinner(theme, self)
        self._spinner.begin()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the ring of now."""
        self._spinner.draw(QPainter(self), self.rect(), self._theme.color("accent"), self._theme.color("track"))


class ProgressBar(QWidget):
    """A bar with words at its right, such as `38 of 62 MB`; without a total only the words and an empty bar."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._share, self._words, self._token = 0.0, "", "accent"
        self._widest = 0
        self.setFixedHeight(18)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set(self, done: int, total: int, words: str = "", token: str = "accent") -> None:
        """Show how far it is."""
        self._share, self._words, self._token = (done / total if total > 0 else 0.0), words, token
        self._widest = max(self._widest, paint.width_of(words, self._theme.font("small")))
        self.setAccessibleName(words)
        self.update()

    def sizeHint(self) -> QSize:
        """Grows with its place."""
        return QSize(160, 18)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint bar and words; the bar keeps its length while the words change."""
        painter = QPainter(self)
        room = self._widest + 10 if self._words else 0
        bar = QRect(0, (self.height() - 4) // 2, self.width() - room, 4)
        paint_bar(painter, self._theme, bar, self._share, self._token)
        font, color = self._theme.font("small"), self._theme.color("text-secondary")
        paint.text(painter, self.rect(), self._words, font, color, _RIGHT)


class PartsProgress(QWidget):
    """A list of parts (layers), each with its name, a bar and its words, in one painted widget."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._parts: list[PartLike] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_parts(self, parts: Sequence[PartLike]) -> None:
        """Show these parts, in their order."""
        grown = len(parts) != len(self._parts)
        self._parts = list(parts)
        if grown:
            self.setFixedHeight(self._row() * len(self._parts))
        self.update()

    def _row(self) -> int:
        return self._theme.height("tree_row")

    def sizeHint(self) -> QSize:
        """All rows."""
        return QSize(360, self._row() * len(self._parts))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the rows that are seen."""
        painter = QPainter(self)
        row = self._row()
        first = max(0, event.rect().top() // row)
        last = min(len(self._parts), event.rect().bottom() // row + 1)
        for number in range(first, last):
            self._paint_part(painter, self._parts[number], QRect(0, number * row, self.width(), row))

    def _paint_part(self, painter: QPainter, part: PartLike, box: QRect) -> None:
        theme = self._theme
        name = QRect(box.left(), box.top(), 112, box.height())
        paint.text(painter, name, visible_name(part.name, 40), theme.font("mono"), theme.color("text-secondary"))
        words = QRect(max(name.right() + 12, box.right() - 167), box.top(), 168, box.height())
        bar = QRect(name.right() + 12, box.center().y() - 1, words.left() - name.right() - 24, 4)
        share = 1.0 if part.ended else part.done / part.total if part.total > 0 else 0.0
        if bar.width() > 20:
            paint_bar(painter, theme, bar, share, "success-fill" if share >= 1 else "accent")
        small = theme.font("small")
        paint.text(painter, words, visible_name(part.words, 80), small, theme.color("text-secondary"), _RIGHT)
