"""Tick boxes, radio buttons and switches, painted."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QRadioButton, QWidget

from app.theme import Theme
from app.widgets import paint
from app.widgets.focus import RingTarget

_BOX = 14
_GAP = 7


def _size(button: QAbstractButton, mark: int) -> QSize:
    words = paint.width_of(button.text(), button.font()) + _GAP + 1 if button.text() else 0
    return QSize(mark + words, 20)


def _words(button: QAbstractButton, painter: QPainter, theme: Theme, mark: int) -> None:
    token = "text" if button.isEnabled() else "text-disabled"
    paint.text(painter, button.rect().adjusted(mark + _GAP, 0, 0, 0), button.text(), button.font(), theme.color(token))


def paint_tick_box(painter: QPainter, theme: Theme, box: QRect, checked: bool, enabled: bool = True) -> None:
    """A tick box in `box` (14 px); also for rows of tables."""
    if checked:
        paint.rounded(painter, box, 4, theme.color("accent-fill" if enabled else "text-disabled"))
        paint.icon(painter, theme, box, "check", "on-accent", 12)
    else:
        paint.rounded(painter, box, 4, theme.color("surface"), theme.color("control-border" if enabled else "border"))


class Checkbox(RingTarget, QCheckBox):
    """A tick box with its words."""

    def __init__(self, theme: Theme, text: str = "", checked: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._theme = self.ring_theme = theme
        self.ring_radius = 4
        self.setFont(theme.font("body"))
        self.setChecked(checked)

    def ring_box(self) -> QRect:
        """The ring goes around the box."""
        return QRect(0, (self.height() - _BOX) // 2, _BOX, _BOX)

    def sizeHint(self) -> QSize:
        """Box and words."""
        return _size(self, _BOX)

    def minimumSizeHint(self) -> QSize:
        """Words may be elided."""
        return QSize(_BOX, 20)

    def hitButton(self, point: QPoint) -> bool:
        """All of it can be pressed."""
        return self.rect().contains(point)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the box and the words."""
        painter = QPainter(self)
        paint_tick_box(painter, self._theme, self.ring_box(), self.isChecked(), self.isEnabled())
        _words(self, painter, self._theme, _BOX)


class Radio(RingTarget, QRadioButton):
    """One of several choices with its words; those with one parent exclude each other."""

    def __init__(self, theme: Theme, text: str = "", checked: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._theme = self.ring_theme = theme
        self.ring_radius = 7
        self.setFont(theme.font("body"))
        self.setChecked(checked)

    def ring_box(self) -> QRect:
        """The ring goes around the circle."""
        return QRect(0, (self.height() - _BOX) // 2, _BOX, _BOX)

    def sizeHint(self) -> QSize:
        """Circle and words."""
        return _size(self, _BOX)

    def hitButton(self, point: QPoint) -> bool:
        """All of it can be pressed."""
        return self.rect().contains(point)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the circle and the words."""
        painter = QPainter(self)
        theme, box = self._theme, self.ring_box()
        if self.isChecked():
            paint.rounded(painter, box, 7, theme.color("accent-fill" if self.isEnabled() else "text-disabled"))
            paint.rounded(painter, box.adjusted(4, 4, -4, -4), 3, theme.color("on-accent"))
        else:
            paint.rounded(painter, box, 7, theme.color("surface"), theme.color("control-border"))
        _words(self, painter, theme, _BOX)


class Switch(RingTarget, QCheckBox):
    """On or off, at once; `name` is what it is called aloud, `text` what stands beside it."""

    def __init__(
        self, theme: Theme, name: str, text: str = "", checked: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(text, parent)
        self._theme = self.ring_theme = theme
        self.ring_radius = 9
        self.setFont(theme.font("body"))
        self.setAccessibleName(name)
        self.setChecked(checked)

    def ring_box(self) -> QRect:
        """The ring goes around the track."""
        return QRect(0, (self.height() - 18) // 2, 30, 18)

    def sizeHint(self) -> QSize:
        """Track and words."""
        return _size(self, 30)

    def hitButton(self, point: QPoint) -> bool:
        """All of it can be pressed."""
        return self.rect().contains(point)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint track, knob and words."""
        painter = QPainter(self)
        theme, box = self._theme, self.ring_box()
        on = self.isChecked()
        token = "border-strong" if not self.isEnabled() else "accent-fill" if on else "control-border"
        paint.rounded(painter, box, 9, theme.color(token))
        knob = QRect(box.left() + (14 if on else 2), box.top() + 2, 14, 14)
        paint.rounded(painter, knob, 7, theme.color("on-accent"))
        _words(self, painter, theme, 30)
        painter.setPen(Qt.PenStyle.NoPen)
