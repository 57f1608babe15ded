"""SelectionBar: what can be done to the ticked rows, floating above the bottom of a list."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QRect, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSpacerItem, QWidget

from app.theme import Theme
from app.widgets import paint
from app.widgets.buttons import Button, IconButton
from app.widgets.cards import Shade
from app.widgets.cells import RowAction
from app.widgets.overlay import Floating
from app.widgets.text import PlainLabel, set_tooltip

HEIGHT = 46
LIFT = 20
MARGIN = 8
WIDE_GAP, NARROW_GAP = 26, 8
_FITS = ((True, WIDE_GAP, True), (False, WIDE_GAP, True), (False, NARROW_GAP, True), (False, NARROW_GAP, False))
"""What is there while there is room: the sums, the gap beside them, actions that cannot be pressed."""


class SelectionBar(Floating):
    """Over `host`, 20 px above its bottom, in the middle: "2 selected", their sums, the actions, and a way out.

    `pressed(name)` of an action, `closed()` to untick all. The last `dangers` of the actions stand apart.
    """

    pressed = Signal(str)
    closed = Signal()

    def __init__(self, theme: Theme, host: QWidget, actions: Sequence[RowAction], *, dangers: int = 1) -> None:
        super().__init__(host)
        self._theme = theme
        self._host = host
        self._shade = Shade(theme, host)
        self.setAccessibleName("Selection")
        self.count = PlainLabel(theme, "", "body_strong")
        self.detail = PlainLabel(theme, "", "small", "text-secondary")
        self.buttons: dict[str, Button] = {}
        self._left_out: frozenset[str] = frozenset()
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(15, 0, 7, 0)
        row.setSpacing(2)
        row.addWidget(self.count)
        row.addSpacing(5)
        row.addWidget(self.detail)
        self._gap = QSpacerItem(WIDE_GAP, 0)
        row.addSpacerItem(self._gap)
        for i, action in enumerate(actions):
            danger = i >= len(actions) - dangers
            if i and i == len(actions) - dangers:
                row.addWidget(_Divider(theme))
            row.addWidget(self._button(action, danger=danger))
        row.addWidget(_Divider(theme))
        close = IconButton(theme, "x", "Untick all", "Esc")
        close.clicked.connect(self.closed)
        row.addWidget(close)
        host.installEventFilter(self)
        theme.changed.connect(self.update)
        self.hide()

    def _button(self, action: RowAction, *, danger: bool) -> Button:
        button = Button(self._theme, action.title, action.icon, kind="ghost-danger" if danger else "ghost")
        button.setAccessibleName(action.title)
        if action.key:
            set_tooltip(button, action.title, action.key)
        button.clicked.connect(lambda: self.pressed.emit(action.name))
        self.buttons[action.name] = button
        return button

    def show_for(self, count: str, detail: str = "", left_out: frozenset[str] = frozenset()) -> None:
        """Shows "2 selected" and their sums, without the actions `left_out`; an empty `count` hides the bar."""
        self._left_out = left_out
        self.count.setText(count)
        self.detail.setText(detail)
        self._shade.setVisible(bool(count))
        self.setVisible(bool(count))
        if count:
            self._place()
            self._shade.raise_()
            self.raise_()

    def set_detail(self, detail: str) -> None:
        """Only the sums."""
        if self.detail.text() != detail:
            self.detail.setText(detail)
            self._place()

    def set_enabled(self, name: str, why: str = "") -> None:
        """Enables an action, or disables it and says why."""
        button = self.buttons[name]
        button.setEnabled(not why)
        set_tooltip(button, why)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stays where it is when the list grows."""
        if event.type() is QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    def _place(self) -> None:
        room = self._host.width() - 2 * MARGIN
        for detail, gap, idle in _FITS:
            self.detail.setVisible(detail and bool(self.detail.text()))
            self._gap.changeSize(gap, 0)
            for name, button in self.buttons.items():
                button.setVisible(name not in self._left_out and (idle or button.isEnabled()))
            self._row.invalidate()
            self._row.activate()
            width = self.sizeHint().width()
            if width <= room:
                break
        width = min(width, room)
        left = (self._host.width() - width) // 2
        self.setGeometry(QRect(left, self._host.height() - LIFT - HEIGHT, width, HEIGHT))
        self._shade.around(self.geometry())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The box."""
        color = self._theme.color
        radius = self._theme.radius("popover")
        paint.rounded(QPainter(self), self.rect(), radius, color("raised"), color("border-strong"))


class _Divider(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setFixedSize(9, 18)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(4, 0, 1, self.height(), self._theme.color("border-strong"))
