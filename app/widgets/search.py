"""The field to search with: tells what was typed after a moment."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.theme import Theme
from app.widgets import paint
from app.widgets.buttons import IconButton
from app.widgets.chips import paint_key
from app.widgets.lineedit import LineEdit
from app.widgets.shortcuts import key_name

_DEBOUNCE_MS = 120


class SearchField(LineEdit):
    """`changed` tells the text 120 ms after the last key; Esc empties it first, then is let through."""

    changed = Signal(str)

    def __init__(self, theme: Theme, placeholder: str, hint: str = "Ctrl F", parent: QWidget | None = None) -> None:
        super().__init__(theme, placeholder, icon="search", parent=parent)
        self._hint = key_name(hint)
        self._hint_shown = True
        self._told = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DEBOUNCE_MS)
        self._timer.timeout.connect(self._tell)
        self._clear = IconButton(theme, "x", "Clear search", small=True, parent=self)
        self._clear.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._clear.clicked.connect(self.clear)
        self._clear.hide()
        self.textChanged.connect(self._on_text_changed)
        self.set_hint_shown(True)

    def set_hint_shown(self, shown: bool) -> None:
        """Show the key at the right end while it is empty."""
        self._hint_shown = shown and bool(self._hint)
        self.reserve(paint.width_of(self._hint, self._theme.font("caption")) + 12 if self._hint_shown else 20)
        self.update()

    def clear(self) -> None:
        """Empty it and tell at once."""
        super().clear()
        self._tell()

    def _on_text_changed(self, text: str) -> None:
        self._clear.setVisible(bool(text))
        self._timer.start()

    def _tell(self) -> None:
        self._timer.stop()
        if self.text() != self._told:
            self._told = self.text()
            self.changed.emit(self._told)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc empties it; Enter tells at once."""
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._tell()
        super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the x at the right end."""
        super().resizeEvent(event)
        self._clear.move(self.width() - self._clear.width() - 2, (self.height() - self._clear.height()) // 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the field and the key."""
        super().paintEvent(event)
        if self._hint_shown and not self.text():
            width = paint.width_of(self._hint, self._theme.font("caption")) + 13
            paint_key(QPainter(self), self._theme, QRect(self.width() - width - 10, 6, width, 18), self._hint)
