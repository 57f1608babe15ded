"""The focus ring: 2 px, 2 px apart, around what has the focus by keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QFocusEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractScrollArea, QScrollArea, QWidget
from shiboken6 import isValid

from app.theme import Theme
from app.widgets import paint

_REACH = 4  # ring and gap
_BY_KEYBOARD = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)
_FOLLOWED = (
    QEvent.Type.Move,
    QEvent.Type.Resize,
    QEvent.Type.Hide,
    QEvent.Type.Show,
    QEvent.Type.ParentChange,
    QEvent.Type.ZOrderChange,
)


# Two Qt classes cannot be inherited from at once: at run time the mix-in is a plain class.
if TYPE_CHECKING:
    _Base = QWidget
else:
    _Base = object


class _Ring(QWidget):
    """One per window: lies above everything, follows its target, is clipped where its target is."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._theme = theme
        self._target: QWidget | None = None
        self._watched: list[QObject] = []
        self._radius = 0
        self._box = QRect()
        self.setObjectName("focus-ring")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()

    def show_around(self, target: QWidget, box: QRect, radius: int) -> None:
        self.let_go()
        self._target, self._radius, self._box = target, radius, box
        part: QWidget | None = target
        while part is not None and part is not self.parentWidget():
            part.installEventFilter(self)
            self._watched.append(part)
            part = part.parentWidget()
        self._place()

    def let_go(self) -> None:
        for part in self._watched:
            if isValid(part):
                part.removeEventFilter(self)
        self._watched.clear()
        self._target = None
        self.hide()

    def is_around(self, target: QWidget) -> bool:
        return self._target is target

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _FOLLOWED and self._target is not None:
            self._place()
        return False

    def _place(self) -> None:
        target, window = self._target, self.parentWidget()
        if window is None or target is None or not isValid(target) or not target.isVisible():
            self.hide()
            return
        if target.size() != self._box.size() and self._box.topLeft() == QPoint(0, 0) and not self._fixed_box(target):
            self._box = target.rect()
        box = QRect(target.mapTo(window, self._box.topLeft()), self._box.size())
        self.setGeometry(box.adjusted(-_REACH, -_REACH, _REACH, _REACH))
        seen = _visible_part(target, window).translated(-self.pos())
        if seen.contains(self.rect()):
            self.clearMask()
        elif seen.intersects(self.rect()):
            self.setMask(seen.intersected(self.rect()))
        else:
            self.hide()
            return
        self.show()
        self.raise_()

    @staticmethod
    def _fixed_box(target: QWidget) -> bool:
        return isinstance(target, RingTarget) and target.ring_box() != target.rect()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.rounded(painter, self.rect(), self._radius + _REACH, None, self._theme.color("focus"), 2)


def _visible_part(target: QWidget, window: QWidget) -> QRect:
    """The part of `window` in which scroll areas around `target` let it be seen; 4 px more for the ring."""
    seen = window.rect()
    part = target.parentWidget()
    while part is not None and part is not window:
        area = part.parentWidget()
        if isinstance(area, QAbstractScrollArea) and area.viewport() is part:
            port = QRect(part.mapTo(window, QPoint(0, 0)), part.size())
            seen = seen.intersected(port.adjusted(-_REACH, 0, _REACH, 0))
        part = part.parentWidget()
    return seen


def _ring_of(theme: Theme, window: QWidget) -> _Ring:
    for child in window.children():
        if isinstance(child, _Ring):
            return child
    return _Ring(theme, window)


class RingTarget(_Base):
    """Mix-in, first of the bases, for a widget that shows the ring while it has the focus by keyboard."""

    ring_theme: Theme
    ring_radius: int = 6

    def ring_box(self) -> QRect:
        """What the ring goes around, in the widget's own coordinates."""
        return self.rect()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring if the focus came by keyboard."""
        super().focusInEvent(event)
        if event.reason() in _BY_KEYBOARD:
            self.show_ring()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the ring away."""
        super().focusOutEvent(event)
        ring = _ring_of(self.ring_theme, self.window())
        if ring.is_around(self):
            ring.let_go()

    def show_ring(self) -> None:
        """Show the ring now, whatever the focus came by."""
        _ring_of(self.ring_theme, self.window()).show_around(self, self.ring_box(), self.ring_radius)


class ScrollArea(RingTarget, QScrollArea):
    """A part of a page that keys scroll, without a frame; the ring tells when they do."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ring_theme = theme
        self.setFrameShape(QScrollArea.Shape.NoFrame)


def focus(widget: QWidget, *, ring: bool = True) -> None:
    """Move the focus to `widget` as a key press would (with the ring) or as a click would."""
    widget.setFocus(Qt.FocusReason.TabFocusReason if ring else Qt.FocusReason.MouseFocusReason)


def stop_before(anchor: QWidget, box: QWidget) -> None:
    """Let Tab stop at what is in `box` just before `anchor`: for rows that are added above the link that adds them."""
    last = anchor.previousInFocusChain() or anchor
    while last is not anchor and (not _is_stop(last) or last.isAncestorOf(box)):  # Qt orders after such stops alone
        last = last.previousInFocusChain() or anchor
    for part in (box, *box.findChildren(QWidget)):
        if _is_stop(part) and part.window() is anchor.window():
            QWidget.setTabOrder(last, part)
            last = part


def _is_stop(widget: QWidget) -> bool:
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.focusProxy() is None
