"""Keys of the window: one way to bind a key to what it does, and to say its name."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QOperatingSystemVersion, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget


def bind(
    owner: QWidget, keys: str, act: Callable[[], object], *, window: bool = True, covered: bool = False
) -> QShortcut:
    """`keys` ("Ctrl+F"; Ctrl is Cmd on macOS) does `act` while `owner`, or its whole window, has the focus.

    A key of the window rests while a dialog lies over it, unless `covered`.
    """
    shortcut = QShortcut(QKeySequence(keys), owner)
    scope = Qt.ShortcutContext.WindowShortcut if window else Qt.ShortcutContext.WidgetWithChildrenShortcut
    shortcut.setContext(scope)
    shortcut.activated.connect(lambda: act() if covered or not window or not _is_covered(owner) else None)
    if _is_tab(keys) and on_macos():  # Cmd Tab is the system's: there, Qt calls the Control key Meta
        shortcut.setKeys([QKeySequence(keys.replace("Ctrl", "Meta"))])
    return shortcut


def _is_covered(owner: QWidget) -> bool:
    from app.widgets.overlay import is_covered

    return is_covered(owner.window())


def on_macos() -> bool:
    """Whether keys have the names of macOS."""
    return QOperatingSystemVersion.currentType() == QOperatingSystemVersion.OSType.MacOS


def key_name(key: str, *, macos: bool | None = None) -> str:
    """The name of a key as it stands on this computer: `Ctrl F` is `Cmd F` on macOS."""
    if "Ctrl" not in key or _is_tab(key):
        return key
    return key.replace("Ctrl", "Cmd") if (on_macos() if macos is None else macos) else key


def _is_tab(keys: str) -> bool:
    return keys.endswith("Tab") and "Ctrl" in keys
