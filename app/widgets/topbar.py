"""The bar at the top of a page: its title, its totals, its search and what can be pressed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from app.theme import Theme
from app.widgets import paint
from app.widgets.search import SearchField
from app.widgets.text import PlainLabel

Totals = Sequence[tuple[str, bool]]
NARROW = 960
"""Below this width of the bar the key hint leaves the search, and the search becomes short."""
_SEARCH_WIDE, _SEARCH_NARROW = 248, 176
_DOT = " · "


class TotalsLine(QWidget):
    """A few words of which some are strong: `8 running · CPU 12 % · 1.4 GB`."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._parts: tuple[tuple[str, bool], ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        theme.changed.connect(self.update)

    @property
    def text(self) -> str:
        """The words as one line."""
        return "".join(words for words, _strong in self._parts)

    def set_parts(self, parts: Totals) -> None:
        """Other words."""
        fresh = tuple(parts)
        if fresh != self._parts:
            self._parts = fresh
            self.setAccessibleName(self.text)
            self.update()

    def sizeHint(self) -> QSize:
        """As wide as the words."""
        width = sum(paint.width_of(words, self._font(strong)) for words, strong in self._parts)
        return QSize(width + 4, self._theme.height("control"))

    def _font(self, strong: bool) -> QFont:
        return self._theme.make_font(12, 600 if strong else 400)

    def _fitting(self) -> list[tuple[str, bool]]:
        """The totals that have room, whole."""
        left, fitting = 0, []
        for words, strong in self._parts:
            left += paint.width_of(words, self._font(strong))
            if left > self.width() + 1:
                break
            fitting.append((words, strong))
        else:
            return fitting
        whole = words.startswith(_DOT)
        while fitting and not whole:
            last, strong = fitting.pop()
            head, dot, _rest = last.rpartition(_DOT)
            whole = bool(dot)
            if head:
                fitting.append((head, strong))
        return fitting

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the parts one after the other; a total that has no room is left out with the dot before it."""
        painter = QPainter(self)
        left = 0
        for words, strong in self._fitting():
            font = self._font(strong)
            width = paint.width_of(words, font)
            token = "text" if strong else "text-secondary"
            paint.text(painter, QRect(left, 1, width + 2, self.height()), words, font, self._theme.color(token))
            left += width


class TopBar(QWidget):
    """52 px: title, totals, space, then what the page adds, from left to right."""

    def __init__(self, theme: Theme, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.search: SearchField | None = None
        self.setFixedHeight(theme.height("topbar"))
        self.title = PlainLabel(theme, title, "title")
        self.totals = TotalsLine(theme)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(16, 0, 16, 0)
        self._row.setSpacing(8)
        self._row.addWidget(self.title)
        self._row.addSpacing(4)
        self._row.addWidget(self.totals, 1)
        theme.changed.connect(self.update)

    def set_totals(self, parts: Totals) -> None:
        """The words beside the title; (words, whether they are strong)."""
        self.totals.set_parts(parts)

    def add_search(self, placeholder: str) -> SearchField:
        """The page's search field."""
        self.search = SearchField(self._theme, placeholder)
        self.search.setAccessibleName(placeholder)
        self._row.addWidget(self.search)
        self._fit()
        return self.search

    def add_widget(self, widget: QWidget) -> None:
        """One more thing at the right."""
        self._row.addWidget(widget)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the search the room there is."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self.search is not None:
            narrow = self.width() < NARROW
            self.search.set_hint_shown(not narrow)
            self.search.setFixedWidth(_SEARCH_NARROW if narrow else _SEARCH_WIDE)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint surface and hairline."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("surface"))
        paint.hairline(painter, self.rect(), self._theme.color("border"))
