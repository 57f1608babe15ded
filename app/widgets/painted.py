"""PaintedRows: a scroll area that paints rows of known heights, only those in sight."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from app.theme import Theme


class PaintedRows(QAbstractScrollArea):
    """Subclasses give heights with `set_heights`, and paint one row in `paint_row`."""

    def __init__(self, theme: Theme, name: str, background: str = "surface", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._background = background
        self._ends: list[int] = []
        self._wide = 0
        self._margin = 0
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        theme.changed.connect(self.viewport().update)

    def set_heights(self, heights: list[int], wide: int = 0, margin: int = 0) -> None:
        """The heights of the rows, the width that scrolls sideways, and the space above and below, in px."""
        self._ends = list(accumulate(heights))
        self._wide, self._margin = wide, margin
        self._fit()
        self.viewport().update()

    def row_rect(self, row: int) -> QRect:
        """Where a row is in the viewport."""
        top = self._ends[row - 1] if row else 0
        y = self._margin + top - self.verticalScrollBar().value()
        return QRect(
            -self.horizontalScrollBar().value(), y, max(self.viewport().width(), self._wide), self._ends[row] - top
        )

    def row_at(self, y: int) -> int:
        """The row at a height of the viewport, -1 for none."""
        at = y + self.verticalScrollBar().value() - self._margin
        row = bisect_right(self._ends, at) if at >= 0 else -1
        return row if row < len(self._ends) else -1

    def show_row(self, row: int) -> None:
        """Scrolls as little as needed to bring the row into sight."""
        rect, bar = self.row_rect(row), self.verticalScrollBar()
        if rect.top() < 0:
            bar.setValue(bar.value() + rect.top())
        elif rect.bottom() > self.viewport().height():
            bar.setValue(bar.value() + rect.bottom() - self.viewport().height() + 1)

    def paint_row(self, painter: QPainter, row: int, rect: QRect) -> None:
        """Paints one row into `rect`."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paints the rows in sight."""
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), self.theme.color(self._background))
        row = max(0, self.row_at(max(0, event.rect().top()))) if self._ends else 0
        if self._ends and self.row_at(event.rect().top()) < 0 and event.rect().top() > self._margin:
            return
        while row < len(self._ends):
            rect = self.row_rect(row)
            if rect.top() > event.rect().bottom():
                break
            self.paint_row(painter, row, rect)
            row += 1

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fits the scroll bars."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        view = self.viewport().size()
        height = (self._ends[-1] if self._ends else 0) + 2 * self._margin
        for bar, whole, page in (
            (self.verticalScrollBar(), height, view.height()),
            (self.horizontalScrollBar(), self._wide, view.width()),
        ):
            bar.setPageStep(page)
            bar.setSingleStep(20)
            bar.setRange(0, max(0, whole - page))
