"""Keys of the window: one way to bind a key to what it does."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget


def bind(owner: QWidget, keys: str, act: Callable[[], object], *, window: bool = True) -> QShortcut:
    """`keys` ("Ctrl+F"; Ctrl is Cmd on macOS) does `act` while `owner`, or its whole window, has the focus."""
    shortcut = QShortcut(QKeySequence(keys), owner)
    scope = Qt.ShortcutContext.WindowShortcut if window else Qt.ShortcutContext.WidgetWithChildrenShortcut
    shortcut.setContext(scope)
    shortcut.activated.connect(lambda: act())
    return shortcut
