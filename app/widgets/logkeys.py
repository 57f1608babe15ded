"""LogKeys: what the keys do in a log view."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

if TYPE_CHECKING:
    from app.widgets.logview import LogView

Key = Qt.Key


class LogKeys:
    """Arrows and pages scroll, Home and End go to the ends, Shift selects lines, Ctrl A and Ctrl C as everywhere."""

    def __init__(self, view: LogView) -> None:
        self._view = view
        self._moves: dict[int, Callable[[], int]] = {
            Key.Key_Up: lambda: -1,
            Key.Key_Down: lambda: 1,
            Key.Key_PageUp: lambda: 1 - view.page(),
            Key.Key_PageDown: lambda: view.page() - 1,
        }

    def press(self, event: QKeyEvent) -> bool:
        """Does what the key says; False when it is not one of ours."""
        view = self._view
        if event.matches(QKeySequence.StandardKey.Copy):
            view.copy()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            view.selection.select_all()
        elif event.key() == Key.Key_Home:
            view.scroll_to(0)
            view.older_wanted.emit(True)
        elif event.key() == Key.Key_End:
            view.follow()
        elif event.key() in (Key.Key_Left, Key.Key_Right):
            bar = view.horizontalScrollBar()
            bar.setValue(bar.value() + bar.singleStep() * (-1 if event.key() == Key.Key_Left else 1))
        elif event.key() in (Key.Key_Menu,):
            view.menu_wanted.emit(view.viewport().mapToGlobal(QPoint(view.width() // 2, view.height() // 2)))
        elif event.key() in self._moves:
            self._move(event)
        else:
            return False
        view.viewport().update()
        return True

    def _move(self, event: QKeyEvent) -> None:
        view = self._view
        rows = self._moves[event.key()]()
        if not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            view.move_rows(rows)
            return
        if not view.count:
            return
        if view.selection.anchor is None:
            top = view.line_at(min(view.count - 1, view.verticalScrollBar().value() + view.page() - 1))
            view.selection.set((top, 0))
        line, column = view.selection.cursor
        row = max(0, min(view.count - 1, view.row_of(line) + rows))
        view.selection.set((view.line_at(row), column), extend=True)
        view.show_line(view.line_at(row))
