"""LineEdit: one line of text in the look of the house."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from app.theme import Theme
from app.widgets import paint
from app.widgets.paint import clear_base, field_frame


class LineEdit(QLineEdit):
    """One line of text with an icon before it and a suffix (or a note) after it."""

    def __init__(
        self,
        theme: Theme,
        placeholder: str = "",
        mono: bool = False,
        icon: str = "",
        suffix: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon = icon
        self._note = ("", suffix, "text-tertiary")
        self._error = False
        self._reserved = 0
        self.setFrame(False)
        clear_base(self)
        self.setFont(theme.font("mono" if mono else "body"))
        self.setFixedHeight(theme.height("control"))
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(placeholder)
        self._make_room()

    def set_error(self, error: bool) -> None:
        """Mark what it holds as wrong."""
        if error != self._error:
            self._error = error
            self.update()

    def has_error(self) -> bool:
        """Whether it is marked as wrong."""
        return self._error

    def set_note(self, icon: str, text: str, token: str = "text-tertiary") -> None:
        """Say something inside, at the right end."""
        self._note = (icon, text, token)
        self._make_room()
        self.update()

    def reserve(self, width: int) -> None:
        """Keep `width` pixels free at the right end."""
        self._reserved = width
        self._make_room()

    def _note_width(self) -> int:
        icon, text, _token = self._note
        font = self._theme.font("body" if not icon else "small")
        return (paint.width_of(text, font) if text else 0) + (18 if icon else 0)

    def _make_room(self) -> None:
        right = self._reserved + (self._note_width() + 8 if any(self._note[:2]) else 0)
        self.setTextMargins(31 if self._icon else 9, 0, 9 + right, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the box, then Qt's text and cursor, then icon and note."""
        painter = QPainter(self)
        theme = self._theme
        field_frame(painter, theme, self.rect(), focused=self.hasFocus(), error=self._error, enabled=self.isEnabled())
        if self._icon:
            paint.icon(painter, theme, QRect(10, 0, 16, self.height()), self._icon, "text-tertiary", 14)
        icon, text, token = self._note
        if icon or text:
            width = self._note_width()
            box = QRect(self.width() - 11 - self._reserved - width, 0, width, self.height())
            if icon:
                paint.icon(painter, theme, QRect(box.left(), 0, 12, box.height()), icon, token, 12)
                box.setLeft(box.left() + 18)
            paint.text(painter, box, text, theme.font("small" if icon else "body"), theme.color(token))
        painter.end()
        super().paintEvent(event)
