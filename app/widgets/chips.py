"""Chips: a state, a port, a word, a filter, a key."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from app.theme import Theme
from app.widgets import paint
from app.widgets.focus import RingTarget
from app.widgets.shortcuts import key_name
from app.widgets.text import visible_name

_ROLES = ("success", "warning", "danger", "info", "accent")


def paint_key(painter: QPainter, theme: Theme, box: QRect, words: str) -> None:
    """The name of a key in a small box."""
    paint.rounded(painter, box, theme.radius("chip"), theme.color("surface-alt"), theme.color("border"))
    middle = Qt.AlignmentFlag.AlignCenter
    paint.text(painter, box, words, theme.font("caption"), theme.color("text-tertiary"), middle)


class StateChip(QWidget):
    """A state as icon and word on the soft fill of its role; the icon `dot` is a filled circle."""

    def __init__(
        self, theme: Theme, icon: str = "", word: str = "", role: str = "neutral", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon, self._word, self._role = icon, word, role
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set(icon, word, role)

    def set(self, icon: str, word: str, role: str) -> None:
        """Show another state; `role` is success, warning, danger, info, accent or neutral."""
        self._icon, self._word, self._role = icon, visible_name(word, 60), role
        self.setAccessibleName(self._word)
        self.setFixedSize(self.sizeHint())
        self.update()

    def word(self) -> str:
        """The word shown."""
        return self._word

    def _mark(self) -> int:
        return 0 if not self._icon else 7 if self._icon == "dot" else 14

    def sizeHint(self) -> QSize:
        """Icon and word with room around."""
        mark = self._mark()
        words = paint.width_of(self._word, self._theme.make_font(12, 500))
        return QSize(6 + (mark + (5 if mark == 7 else 6) if mark else 2) + words + 8, self._theme.height("state_chip"))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint fill, icon and word."""
        painter = QPainter(self)
        theme = self._theme
        known = self._role in _ROLES
        token = self._role if known else "text-secondary"
        fill = f"{self._role}-soft" if known else "surface-alt"
        paint.rounded(painter, self.rect(), theme.radius("chip"), theme.color(fill))
        left, mark = 6, self._mark()
        if self._icon == "dot":
            dot = f"{self._role}-fill" if known else "text-tertiary"
            paint.rounded(painter, QRect(left, (self.height() - 7) // 2, 7, 7), 3.5, theme.color(dot))
            left += mark + 5
        elif self._icon:
            paint.icon(painter, theme, QRect(left, 0, 14, self.height()), self._icon, token, 14)
            left += mark + 6
        else:
            left += 2
        words = self.rect().adjusted(left, 0, 0, 0)
        paint.text(painter, words, self._word, theme.make_font(12, 500), theme.color(token))


class _PressChip(RingTarget, QAbstractButton):
    """What port and filter chips share."""

    def __init__(self, theme: Theme, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = self.ring_theme = theme
        self.ring_radius = theme.radius("chip")
        self.setText(visible_name(text, 80))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedHeight(theme.height("chip"))


class PortChip(_PressChip):
    """A port that opens when pressed (`clicked`); a `bad` one does not answer."""

    def __init__(self, theme: Theme, text: str, parent: QWidget | None = None, *, bad: bool = False) -> None:
        super().__init__(theme, text, parent)
        self.bad = bad
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(f"Port {text} does not answer" if bad else f"Open port {text}")

    def sizeHint(self) -> QSize:
        """Number and arrow."""
        return QSize(paint.width_of(self.text(), self._theme.font("mono_chip")) + 28, self.height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint box, number and arrow."""
        painter = QPainter(self)
        theme = self._theme
        fill = theme.color("accent-soft" if self.underMouse() else "surface-alt")
        paint.rounded(painter, self.rect(), theme.radius("chip"), fill, theme.color("border"))
        mark, token = ("triangle-alert", "danger") if self.bad else ("arrow-up-right", "accent")
        words = self.rect().adjusted(7, 0, -17, 0)
        paint.text(painter, words, self.text(), theme.font("mono_chip"), theme.color(token))
        paint.icon(painter, theme, QRect(self.width() - 17, 0, 10, self.height()), mark, token, 10)


class Chip(QWidget):
    """A word in a box, such as a tag; `key` paints it as the name of a key."""

    def __init__(self, theme: Theme, text: str = "", key: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._key = key
        self._text = ""
        self.setText(text)

    def text(self) -> str:
        """The word."""
        return self._text

    def setText(self, text: str) -> None:
        """Show another word."""
        self._text = key_name(text) if self._key else visible_name(text, 80)
        self.setAccessibleName(self._text)
        self.setFixedSize(self.sizeHint())
        self.update()

    def sizeHint(self) -> QSize:
        """The word with room around."""
        font = self._theme.font("caption" if self._key else "small")
        return QSize(paint.width_of(self._text, font) + (13 if self._key else 15), 18 if self._key else 20)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint box and word."""
        painter = QPainter(self)
        theme = self._theme
        if self._key:
            paint_key(painter, theme, self.rect(), self._text)
            return
        paint.rounded(painter, self.rect(), theme.radius("chip"), theme.color("surface"), theme.color("border-strong"))
        middle = Qt.AlignmentFlag.AlignCenter
        paint.text(painter, self.rect(), self._text, theme.font("small"), theme.color("text"), middle)


class FilterChip(_PressChip):
    """A filter in force; pressing it (its x) takes it away: `removed`."""

    removed = Signal()

    def __init__(self, theme: Theme, text: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, text, parent)
        self.setAccessibleName(f"Remove filter {text}")
        self.clicked.connect(self.removed)

    def sizeHint(self) -> QSize:
        """Words and x."""
        return QSize(paint.width_of(self.text(), self._theme.font("small")) + 26, self.height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint box, words and x."""
        painter = QPainter(self)
        theme = self._theme
        fill = theme.color("raised-hover" if self.underMouse() else "surface")
        paint.rounded(painter, self.rect(), theme.radius("chip"), fill, theme.color("border-strong"))
        paint.text(painter, self.rect().adjusted(7, 0, -18, 0), self.text(), theme.font("small"), theme.color("text"))
        paint.icon(painter, theme, QRect(self.width() - 16, 0, 12, self.height()), "x", "text-secondary", 12)
