"""The sidebar: where one can go, and at its foot which engine is in use."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets import paint
from app.widgets.focus import RingTarget
from app.widgets.text import set_tooltip, visible_name

_PAD = 8


class NavEntry(Struct, frozen=True):
    """One place: `key` comes back when it is pressed; `shortcut` stands in the tooltip of the rail."""

    key: str
    icon: str
    title: str
    shortcut: str = ""


class NavItem(RingTarget, QAbstractButton):
    """One entry: icon, title, count; in the rail the icon alone."""

    def __init__(self, theme: Theme, entry: NavEntry, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = self.ring_theme = theme
        self.ring_radius = theme.radius("control")
        self.entry = entry
        self._count = ""
        self._rail = False
        self.setCheckable(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFixedHeight(theme.height("nav_item"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setText(entry.title)
        self.set_count("")
        theme.changed.connect(self.update)

    def set_count(self, count: str) -> None:
        """The number at the right, e.g. how many there are."""
        self._count = count
        self.setAccessibleName(f"{self.entry.title} {count}".rstrip())
        self.update()

    def set_rail(self, rail: bool) -> None:
        """Icon alone, with the title in the tooltip."""
        self._rail = rail
        self.setFixedHeight(36 if rail else self._theme.height("nav_item"))
        set_tooltip(self, self.entry.title if rail else "", self.entry.shortcut)
        self.update()

    def nextCheckState(self) -> None:
        """The page in view says which item is checked, not the press."""

    def sizeHint(self) -> QSize:
        """As wide as the sidebar lets it be."""
        return QSize(36 if self._rail else 160, self.height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the item."""
        painter = QPainter(self)
        theme = self._theme
        checked = self.isChecked()
        if checked or self.underMouse():
            fill = theme.color("selection" if checked else "hover")
            paint.rounded(painter, self.rect(), theme.radius("control"), fill)
        left = (self.width() - 16) // 2 if self._rail else 8
        token = "accent" if checked else "text-secondary"
        paint.icon(painter, theme, QRect(left, 0, 16, self.height()), self.entry.icon, token, 16)
        if self._rail:
            return
        weight = 600 if checked else 500
        font = theme.make_font(13, weight)
        box = self.rect().adjusted(34, 0, -34, 0)
        paint.text(painter, box, self.entry.title, font, theme.color("text" if checked else "text-secondary"))
        if self._count:
            small = theme.make_font(12, 400)
            width = paint.width_of(self._count, small)
            box = QRect(self.width() - 10 - width, 0, width + 2, self.height())
            paint.text(painter, box, self._count, small, theme.color("text-secondary" if checked else "text-tertiary"))


class _Brand(QWidget):
    """Icon and name of the program."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.rail = False
        self.setFixedHeight(theme.height("topbar"))
        theme.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the brand."""
        painter = QPainter(self)
        left = (self.width() - 20) // 2 if self.rail else 16
        paint.icon(painter, self._theme, QRect(left, 0, 20, self.height()), "brand", "accent", 20)
        if not self.rail:
            box = self.rect().adjusted(45, 0, 0, 0)
            paint.text(painter, box, "Pilothouse", self._theme.make_font(14, 600), self._theme.color("text"))


class _EngineLine(QWidget):
    """The dot and the words of the engine in use."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.rail = False
        self._words, self._token = "No engine", ""
        self.setFixedHeight(39)
        theme.changed.connect(self.update)

    def set(self, words: str, token: str) -> None:
        self._words, self._token = visible_name(words, 80), token
        self.setAccessibleName(words)
        set_tooltip(self, words)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint line, dot and words."""
        painter = QPainter(self)
        theme = self._theme
        paint.hairline(painter, self.rect(), theme.color("border"), at="top")
        left = (self.width() - 8) // 2 if self.rail else 16
        dot = QRect(left, self.height() // 2 - 3, 8, 8)
        if self._token:
            paint.rounded(painter, dot, 4, theme.color(self._token))
        else:
            paint.rounded(painter, dot, 4, None, theme.color("control-border"), 1.5)
        if not self.rail:
            box = self.rect().adjusted(33, 1, -12, 0)
            paint.text(painter, box, self._words, theme.font("small"), theme.color("text-secondary"))


class Sidebar(QWidget):
    """208 px, or a rail of 52 px. `chosen(key)` when an entry is pressed."""

    chosen = Signal(str)

    def __init__(
        self, theme: Theme, entries: Sequence[NavEntry], foot: Sequence[NavEntry], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._brand = _Brand(theme)
        self.engine_line = self._engine = _EngineLine(theme)
        self.items: dict[str, NavItem] = {}
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 1, 0)
        whole.setSpacing(0)
        whole.addWidget(self._brand)
        whole.addLayout(self._column(entries, 4))
        whole.addStretch(1)
        whole.addLayout(self._column(foot, 8))
        whole.addWidget(self._engine)
        self.set_rail(False)
        theme.changed.connect(self.update)

    def _column(self, entries: Sequence[NavEntry], bottom: int) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setContentsMargins(_PAD, 4, _PAD, bottom)
        column.setSpacing(2)
        for entry in entries:
            item = NavItem(self._theme, entry)
            item.clicked.connect(lambda _checked=False, key=entry.key: self.chosen.emit(key))
            self.items[entry.key] = item
            column.addWidget(item)
        return column

    def set_current(self, key: str) -> None:
        """Marks the place in view."""
        for name, item in self.items.items():
            item.setChecked(name == key)

    def set_count(self, key: str, count: str) -> None:
        """The number of an entry."""
        self.items[key].set_count(count)

    def set_engine(self, words: str, token: str) -> None:
        """What stands at the foot; `token` colours the dot, empty is a ring."""
        self._engine.set(words, token)

    def set_rail(self, rail: bool) -> None:
        """Icons alone, for a narrow window."""
        self.setFixedWidth(self._theme.width("sidebar_rail" if rail else "sidebar"))
        self._brand.rail = self._engine.rail = rail
        for item in self.items.values():
            item.set_rail(rail)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint ground and line."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("bg"))
        paint.hairline(painter, self.rect(), self._theme.color("border"), at="right")
