"""RowDelegate: paints one row of a table on one baseline, and says what lies under a point of it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from app.theme import Theme
from app.widgets import cellpaint
from app.widgets.cells import Cell, Column, Group, RowAction
from app.widgets.columns import ACTION_WIDTH, INSET
from app.widgets.ink import Face, Ink

CHECK_SIZE = 14
NARROW = 1000
HEAD_NAME: Face = (13, 600, False)
HEAD_SMALL: Face = (12, 400, False)
HEAD_PROBLEM: Face = (12, 500, False)


class Section(Struct):
    """A visible column where it stands: `x` and `width` in px; `bar` whether its bar is shown."""

    column: Column
    at: int
    x: int
    width: int
    bar: bool


class RowLook(Struct):
    """How a row is to be painted. `chip` is the one under the pointer, as (column index, chip index)."""

    hovered: bool = False
    ticked: bool = False
    marked: bool = False
    focused: bool = False
    check: bool = False
    folded: bool = False
    actions: tuple[RowAction, ...] = ()
    action: int = -1
    chip: tuple[int, int] | None = None


class RowDelegate(QStyledItemDelegate):
    """Painter of rows. The table calls `paint_row`; Qt only ever asks it for the height."""

    def __init__(self, theme: Theme, row_height: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.ink = Ink(theme)
        self._height = row_height
        self.sections: Sequence[Section] = ()
        self.narrow = False

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Every row has the same height."""
        return QSize(0, self._height)

    def baseline(self, rect: QRect) -> int:
        """Where the letters of a row stand."""
        return rect.top() + (self._height + 10) // 2

    def paint_row(self, painter: QPainter, rect: QRect, entry: Group | tuple[Cell, ...], look: RowLook) -> None:
        """Paints a heading or a row."""
        selected = look.ticked or look.marked
        background = "selection" if selected else "hover" if look.hovered else ""
        if isinstance(entry, Group):
            background = background or "surface-alt"
        if background:
            painter.fillRect(rect, self.theme.color(background))
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, self.theme.color("border"))
        if look.check:
            self._paint_check(painter, rect, look.ticked)
        if isinstance(entry, Group):
            self._paint_heading(painter, rect, entry, look)
        else:
            self._paint_cells(painter, rect, entry, look)
        if look.actions:
            self._paint_actions(painter, rect, look)
        if look.focused:
            pen = QPen(self.theme.color("focus"), 2)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(rect).adjusted(1, 1, -1, -2))

    def _paint_cells(self, painter: QPainter, rect: QRect, cells: tuple[Cell, ...], look: RowLook) -> None:
        baseline = self.baseline(rect)
        selected = look.ticked or look.marked
        for section in self.sections:
            chip = look.chip[1] if look.chip is not None and look.chip[0] == section.at else -1
            place = cellpaint.Place(section.x, rect.top(), section.width, self._height - 1, baseline)
            cellpaint.paint(
                painter,
                self.theme,
                self.ink,
                cells[section.at],
                section.column,
                place,
                bar=section.bar,
                chip=chip,
                selected=selected,
            )

    def _paint_heading(self, painter: QPainter, rect: QRect, group: Group, look: RowLook) -> None:
        theme, ink, baseline = self.theme, self.ink, self.baseline(rect)
        middle = rect.top() + (self._height - 1) // 2
        if not look.check:
            chevron = "chevron-right" if look.folded else "chevron-down"
            painter.drawPixmap(INSET, middle - 6, theme.pixmap(chevron, "text-secondary", 14))
        first = self.sections[0].x if self.sections else INSET
        limit = rect.right() - INSET
        for section in self.sections:
            cell = group.sums.get(section.column.key)
            if cell is not None:
                limit = min(limit, section.x)
                place = cellpaint.Place(section.x, rect.top(), section.width, self._height - 1, baseline)
                cellpaint.paint(painter, theme, ink, cell, section.column, place, bar=section.bar)
        x = float(first)
        if group.icon:
            painter.drawPixmap(first, middle - 7, theme.pixmap(group.icon, "text-secondary", 16))
            x += 24
        self._paint_heading_words(painter, x, baseline, limit - 12, group)

    def _paint_heading_words(self, painter: QPainter, x: float, baseline: int, limit: float, group: Group) -> None:
        ink = self.ink
        problem_width = ink.width(group.problems, HEAD_PROBLEM) + 28 if group.problems else 0.0
        x += ink.draw_elided(painter, x, baseline, group.name, HEAD_NAME, "text", limit - x - problem_width)
        rest = ink.width(group.words, HEAD_SMALL) + problem_width
        path_room = limit - x - rest - 30
        if group.path and not self.narrow and path_room > 60:
            x += 9
            x += ink.draw_elided(painter, x, baseline, group.path, HEAD_SMALL, "text-secondary", path_room, "middle")
            if group.words:
                x += 9 + ink.draw(painter, x + 9, baseline, "·", HEAD_SMALL, "text-secondary")
        if group.words:
            x += 9
            x += ink.draw_elided(
                painter, x, baseline, group.words, HEAD_SMALL, "text-secondary", limit - x - problem_width
            )
        if group.problems:
            token = "text-tertiary" if group.faded else "warning"
            painter.drawPixmap(int(x) + 10, baseline - 11, self.theme.pixmap("triangle-alert", token, 14))
            ink.draw(painter, x + 28, baseline, group.problems, HEAD_PROBLEM, token)

    def _paint_check(self, painter: QPainter, rect: QRect, ticked: bool) -> None:
        paint_check(painter, self.theme, INSET, rect.top() + (self._height - 1 - CHECK_SIZE) // 2 + 1, int(ticked) * 2)

    def _paint_actions(self, painter: QPainter, rect: QRect, look: RowLook) -> None:
        middle = rect.top() + (self._height - 1) // 2
        for i, action in enumerate(look.actions):
            box = self.action_box(rect, i, len(look.actions))
            if i == look.action and action.enabled:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(self.theme.color("raised-hover"))
                painter.drawRoundedRect(box, 6, 6)
                painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            token = "text-disabled" if not action.enabled else "text" if i == look.action else "text-secondary"
            pixmap = self.theme.pixmap(action.icon, token, 16)
            painter.drawPixmap(box.center().x() - 7, middle - 7, pixmap)

    def action_box(self, rect: QRect, i: int, count: int) -> QRect:
        """The box of the action `i` of `count` in a row."""
        left = rect.right() + 1 - INSET - ACTION_WIDTH * (count - i)
        return QRect(left, rect.top() + (self._height - 1 - 26) // 2, ACTION_WIDTH, 26)

    def action_at(self, rect: QRect, x: int, count: int) -> int:
        """Which action lies at `x`, or -1."""
        for i in range(count):
            box = self.action_box(rect, i, count)
            if box.left() <= x <= box.right():
                return i
        return -1

    def section_at(self, x: int) -> Section | None:
        """The visible column at `x`."""
        return next((s for s in self.sections if s.x <= x < s.x + s.width), None)

    def chip_at(self, cells: tuple[Cell, ...], x: int, y: int) -> tuple[int, int] | None:
        """The chip at a point of a row (`y` from its top), as (column index, chip index)."""
        section = self.section_at(x)
        if section is None or not 6 <= y <= self._height - 7:
            return None
        for i, box in enumerate(cellpaint.chip_boxes(self.ink, cells[section.at], section.x, section.width)):
            if box[0] <= x < box[1]:
                return section.at, i
        return None

    def full_text(self, cells: tuple[Cell, ...], x: int) -> str:
        """What a tooltip at `x` says: the cell's own, else the whole text where it is cut."""
        section = self.section_at(x)
        if section is None:
            return ""
        cell = cells[section.at]
        if cell.tooltip:
            return cell.tooltip
        return cell.accessible if cellpaint.is_cut(self.ink, cell, section.column, section.width, section.bar) else ""


def paint_check(painter: QPainter, theme: Theme, x: int, y: int, state: int) -> None:
    """A checkbox of 14 px: `state` 0 empty, 1 partial, 2 ticked."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if state:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("accent-fill"))
        painter.drawRoundedRect(QRectF(x, y, CHECK_SIZE, CHECK_SIZE), 3, 3)
        painter.drawPixmap(x + 2, y + 2, theme.pixmap("check" if state == 2 else "minus", "on-accent", 10))
    else:
        painter.setPen(QPen(theme.color("control-border"), 1))
        painter.setBrush(theme.color("surface"))
        painter.drawRoundedRect(QRectF(x + 0.5, y + 0.5, CHECK_SIZE - 1, CHECK_SIZE - 1), 3, 3)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
