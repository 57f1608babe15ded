"""Table: rows and groups of cells to look at, to tick, to fold and to act on, with mouse and keys."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QToolTip

from app.widgets.cells import Group, RowAction
from app.widgets.tableview import TableView
from app.widgets.text import tooltip

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_MOVES = (
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
)


class Table(TableView):
    """One list. What a press means is told by signals; the table changes nothing but ticks, folds and its own columns.

    `opened(key)`: click or Enter. `ticked(frozenset of keys)`. `action(key, name)`: an icon of the action column.
    `chip_pressed(key, column key, chip index)`. `menu_wanted(list of keys, global QPoint)`: right button, Menu,
    Shift F10 or "more"; the keys are the ticked ones when the row is ticked. `sorted(column key, descending)`.
    `current(key)`: the row of the keyboard, also by click; "" for a heading. `folded(group key, bool)`.
    """

    opened = Signal(str)
    action = Signal(str, str)
    chip_pressed = Signal(str, str, int)
    menu_wanted = Signal(object, QPoint)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Takes what TableView takes."""
        super().__init__(*args, **kwargs)
        self._pressed: tuple[str, str, int] | None = None

    # Mouse

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follows the pointer: hovered row, chip, action, cursor."""
        self._look_under(event.position().toPoint())

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is hovered outside."""
        self._look_under(QPoint(-1, -1))
        super().leaveEvent(event)

    def _look_under(self, point: QPoint) -> None:
        index = self.indexAt(point) if self.viewport().rect().contains(point) else QModelIndex()
        old = self._hover.row() if self._hover.isValid() else -1
        kind, at = self._what(index.row(), point) if index.isValid() else ("", 0)
        chip = self._chip(index.row(), point) if kind == "chip" else None
        under = (at if kind == "action" else -1, chip)
        if old == (index.row() if index.isValid() else -1) and under == self._under:
            return
        self._hover, self._under = QPersistentModelIndex(index), under
        shape = Qt.CursorShape.PointingHandCursor if kind == "chip" else Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(shape)
        self._update_row(old)
        self._update_row(index.row())

    def _what(self, row: int, point: QPoint) -> tuple[str, int]:
        """What lies under a point of a row: "tick", "action", "chip", "heading" or "row"."""
        entry = self._rows.entry(row)
        if isinstance(entry, Group):
            return "heading", 0
        if self._can_tick and point.x() < self.layout_of_columns.lead:
            return "tick", 0
        if self._actions is not None:
            count = len(self._actions(self._rows.key(row)))
            at = self.delegate.action_at(self._row_rect(row), point.x(), count)
            if at >= 0:
                return "action", at
        chip = self._chip(row, point)
        return ("row", 0) if chip is None else ("chip", chip[1])

    def _chip(self, row: int, point: QPoint) -> tuple[int, int] | None:
        entry = self._rows.entry(row)
        if isinstance(entry, Group):
            return None
        return self.delegate.chip_at(entry, point.x(), point.y() - self._row_rect(row).top())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Remembers what was pressed; it acts when released over the same."""
        point = event.position().toPoint()
        index = self.indexAt(point)
        self._by_keys = False
        if event.button() is not Qt.MouseButton.LeftButton or not index.isValid():
            self._pressed = None
            return
        self._pressed = (self._rows.key(index.row()), *self._what(index.row(), point))
        if self._pressed[1] in ("row", "heading"):
            self.setCurrentIndex(self._rows.index(index.row(), 0))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """The second press of a quick pair is a press."""
        self.mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Acts on what was pressed."""
        pressed, self._pressed = self._pressed, None
        point = event.position().toPoint()
        index = self.indexAt(point)
        if pressed is None or not index.isValid() or self._rows.key(index.row()) != pressed[0]:
            return
        if self._what(index.row(), point) == pressed[1:]:
            self._act(pressed, index.row(), point, event.modifiers())

    def _act(self, pressed: tuple[str, str, int], row: int, point: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        key, kind, at = pressed
        shift, ctrl = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
        if kind == "heading":
            self._fold(row, None)
        elif self._can_tick and modifiers & shift:
            self.ticks.extend(self._order(), key)
        elif kind == "tick" or (self._can_tick and modifiers & ctrl):
            self.ticks.toggle([key])
        elif kind == "chip":
            chip = self._chip(row, point)
            if chip is not None:
                self.chip_pressed.emit(key, self._rows.columns[chip[0]].key, chip[1])
        elif kind == "action" and self._actions is not None:
            self._press_action(key, row, self._actions(key), at)
        else:
            self.opened.emit(key)

    def _press_action(self, key: str, row: int, actions: tuple[RowAction, ...], at: int) -> None:
        wanted = actions[at]
        if wanted.name == "more":
            box = self.delegate.action_box(self._row_rect(row), at, len(actions))
            self.menu_wanted.emit(self.menu_keys(key), self.viewport().mapToGlobal(box.bottomLeft()))
        elif wanted.enabled:
            self.action.emit(key, wanted.name)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Right button on a row, or the Menu key for the current one."""
        if event.reason() is QContextMenuEvent.Reason.Keyboard:
            self._menu_at_current()
            return
        index = self.indexAt(event.pos())
        if index.isValid():
            self.setCurrentIndex(self._rows.index(index.row(), 0))
            self._menu(index.row(), event.globalPos())

    def _menu_at_current(self) -> None:
        index = self.currentIndex()
        if index.isValid():
            corner = QPoint(self.layout_of_columns.lead, self._row_rect(index.row()).bottom())
            self._menu(index.row(), self.viewport().mapToGlobal(corner))

    def _menu(self, row: int, point: QPoint) -> None:
        entry = self._rows.entry(row)
        if isinstance(entry, Group):
            keys = list(self._rows.keys_of_group(entry.key))
            if keys:
                self.menu_wanted.emit(keys, point)
            return
        self.menu_wanted.emit(self.menu_keys(self._rows.key(row)), point)

    def viewportEvent(self, event: QEvent) -> bool:
        """Tooltips: the whole text of what is cut, or what an icon does."""
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = self.indexAt(event.pos())
            text = self._tooltip(index.row(), event.pos()) if index.isValid() else ""
            QToolTip.showText(event.globalPos(), tooltip(text), self.viewport())
            return True
        return super().viewportEvent(event)

    def _tooltip(self, row: int, point: QPoint) -> str:
        entry = self._rows.entry(row)
        if isinstance(entry, Group):
            return entry.path
        kind, at = self._what(row, point)
        if kind == "action" and self._actions is not None:
            wanted = self._actions(self._rows.key(row))[at]
            return wanted.why if not wanted.enabled and wanted.why else f"{wanted.title}  {wanted.key}".rstrip()
        return self.delegate.full_text(entry, point.x())

    # Keys

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Coming by Tab shows where the keys are."""
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self._by_keys = True
        super().focusInEvent(event)
        if self._by_keys and not self.currentIndex().isValid() and self._rows.rowCount():
            self.setCurrentIndex(self._rows.index(0, 0))
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Without the focus there is no ring."""
        super().focusOutEvent(event)
        self.viewport().update()

    def keyboardSearch(self, search: str) -> None:
        """Letters are shortcuts of the row, not a search."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Moves, folds, ticks, opens; what is not the table's goes on to the page."""
        self._by_keys = True
        self._update_row(self.currentIndex().row())
        if not self._on_plain_key(event):
            if event.key() in _MOVES:
                super().keyPressEvent(event)
            else:
                event.ignore()

    def _on_plain_key(self, event: QKeyEvent) -> bool:
        row, key, modifiers = self.currentIndex().row(), event.key(), event.modifiers()
        shift, ctrl = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
        if key == Qt.Key.Key_Escape:
            had = bool(self.ticks.keys)
            self.ticks.set(())
            return had
        if key == Qt.Key.Key_A and modifiers == ctrl and self._can_tick:
            self.ticks.set(self._order())
            return True
        if row < 0 or modifiers & ctrl:
            return False
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down) and modifiers & shift:
            self._extend(-1 if key == Qt.Key.Key_Up else 1)
        elif key == Qt.Key.Key_Menu or (key == Qt.Key.Key_F10 and modifiers & shift):
            self._menu_at_current()
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self._fold_by_key(row, folded=key == Qt.Key.Key_Left)
        elif key in _ENTER:
            if self._is_heading(row):
                self._fold(row, None)
            else:
                self.opened.emit(self.current_key)
        elif key == Qt.Key.Key_Space:
            self._tick_row(row)
        else:
            return False
        return True

    def _tick_row(self, row: int) -> None:
        if not self._can_tick:
            return
        entry = self._rows.entry(row)
        self.ticks.toggle(
            list(self._rows.keys_of_group(entry.key)) if isinstance(entry, Group) else [self._rows.key(row)]
        )

    def _extend(self, step: int) -> None:
        start = self.current_key
        row = self.currentIndex().row() + step
        while 0 <= row < self._rows.rowCount() and self._is_heading(row):
            row += step
        if 0 <= row < self._rows.rowCount():
            self.setCurrentIndex(self._rows.index(row, 0))
            if self._can_tick:
                self.ticks.extend(self._order(), self._rows.key(row), start)

    def _fold_by_key(self, row: int, *, folded: bool) -> None:
        if self._is_heading(row):
            self._fold(row, folded)
        elif folded:
            above = next((r for r in range(row, -1, -1) if self._is_heading(r)), -1)
            if above >= 0:
                self.setCurrentIndex(self._rows.index(above, 0))

    def _fold(self, row: int, folded: bool | None) -> None:
        entry = self._rows.entry(row)
        if isinstance(entry, Group):
            wanted = not self._rows.is_folded(entry.key) if folded is None else folded
            if wanted != self._rows.is_folded(entry.key):
                self._rows.set_folded(entry.key, wanted)
                self.folded.emit(entry.key, wanted)
