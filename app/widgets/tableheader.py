"""TableHeader: the header of a table, painted in the look of the rows."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import QHeaderView, QWidget

from app.theme import Theme
from app.widgets.cells import Column, TableModel
from app.widgets.columns import INSET
from app.widgets.delegate import CHECK_SIZE, paint_check
from app.widgets.ink import Face, Ink

FACE: Face = (12, 500, False)
ARROW = 12
EDGE = 4


class TableHeader(QHeaderView):
    """Titles with the arrow of the sort, the checkbox of all rows, edges to drag and to press twice.

    `title_pressed(column key)`, `check_pressed()`, `fit_wanted(column key)`.
    """

    title_pressed = Signal(str)
    check_pressed = Signal()
    fit_wanted = Signal(str)

    def __init__(self, theme: Theme, ink: Ink, model: TableModel, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setViewport(QWidget())  # As TableView does.
        self._theme = theme
        self._ink = ink
        self._columns = model.columns
        self._pressed = -1
        self.sort_key = ""
        self.descending = False
        self.check: int | None = None
        self.bars: set[str] = set()
        self.setSectionsClickable(False)
        self.setSectionsMovable(False)
        self.setMinimumSectionSize(0)
        self.setHighlightSections(False)
        self.setFixedHeight(theme.height("table_header"))
        self.setMouseTracking(True)
        self.sectionHandleDoubleClicked.connect(self._on_edge_pressed_twice)

    def sizeHint(self) -> QSize:
        """Always of the token's height."""
        return QSize(super().sizeHint().width(), self._theme.height("table_header"))

    def column_of(self, section: int) -> Column | None:
        """The column of a section; None for the tick and the actions."""
        return self._columns[section - 1] if 0 < section <= len(self._columns) else None

    def set_sort(self, key: str, descending: bool) -> None:
        """Shows the arrow at a column."""
        self.sort_key, self.descending = key, descending
        self.viewport().update()

    def set_check(self, state: int | None) -> None:
        """0 empty, 1 partial, 2 ticked, None no box."""
        if state != self.check:
            self.check = state
            self.viewport().update()

    def paintSection(self, painter: QPainter, rect: QRect, logical_index: int) -> None:
        """Paints one title, or the checkbox."""
        theme = self._theme
        painter.fillRect(rect, theme.color("surface-alt"))
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, theme.color("border"))
        column = self.column_of(logical_index)
        if column is not None:
            self._paint_title(painter, rect, column)
        elif logical_index == 0 and self.check is not None:
            paint_check(painter, theme, INSET, rect.top() + (rect.height() - CHECK_SIZE) // 2, self.check)

    def _paint_title(self, painter: QPainter, rect: QRect, column: Column) -> None:
        chosen = column.key == self.sort_key
        baseline = rect.top() + (rect.height() - 1 + 9) // 2
        right = rect.right() + 1 - column.pad
        arrow_room = ARROW + 4 if chosen else 0
        if column.align_right:
            right -= column.bar_width if column.key in self.bars else 0
            width = min(self._ink.width(column.title, FACE), rect.width() - arrow_room)
            x = right - width - arrow_room
        else:
            x = rect.left() + column.lead
        token = "text" if chosen else "text-secondary"
        used = self._ink.draw_elided(painter, x, baseline, column.title, FACE, token, max(right - x, 8) - arrow_room)
        if chosen:
            arrow = "arrow-down" if self.descending else "arrow-up"
            painter.drawPixmap(int(x + used) + 4, baseline - 10, self._theme.pixmap(arrow, "text", ARROW))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Remembers where it began, so that dragging an edge does not sort."""
        self._pressed = self._target(event)
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Sorts, or ticks all."""
        super().mouseReleaseEvent(event)
        pressed, self._pressed = self._pressed, -1
        if pressed < 0 or pressed != self._target(event):
            return
        column = self.column_of(pressed)
        if column is not None and column.sortable:
            self.title_pressed.emit(column.key)
        elif pressed == 0 and self.check is not None:
            self.check_pressed.emit()

    def _target(self, event: QMouseEvent) -> int:
        """The section under the pointer, -1 at an edge or for another button."""
        x = int(event.position().x())
        section = self.logicalIndexAt(x)
        if event.button() is not Qt.MouseButton.LeftButton or section < 0:
            return -1
        left = self.sectionViewportPosition(section)
        right = left + self.sectionSize(section)
        near_left = x - left < EDGE and self._resizable(section - 1)
        near_right = right - x <= EDGE and self._resizable(section)
        return -1 if near_left or near_right else section

    def _resizable(self, section: int) -> bool:
        return section >= 0 and self.sectionResizeMode(section) is QHeaderView.ResizeMode.Interactive

    def _on_edge_pressed_twice(self, section: int) -> None:
        column = self.column_of(section)
        if column is not None:
            self.fit_wanted.emit(column.key)
