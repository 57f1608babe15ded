"""The Overview tab: what a container was made with, in sections; environment values are hidden until asked for."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.models.details import Line, Section, sections
from app.presentation.containers import Troubles
from app.presentation.units import masked
from app.theme import Theme
from app.widgets.buttons import IconButton
from app.widgets.cards import Card
from app.widgets.focus import ScrollArea
from app.widgets.overlayscroll import OverlayScrollBar
from app.widgets.states import IconMark
from app.widgets.text import PlainLabel, set_tooltip, visible_name
from backend.types.containers import ContainerDetails

TWO_COLUMNS = 880
SHOWN_CHARS = 4_000
LONGEST_WORD = 40
"""Qt does not break words of a text that can be selected."""
LEFT = ("state", "ports", "mounts", "networks")


class SectionCard(Card):
    """One section; the environment's has an eye that shows the values."""

    def __init__(self, theme: Theme, copy: Callable[[str], object]) -> None:
        super().__init__(theme)
        self._copy = copy
        self._section: Section | None = None
        self._seen = False
        self.mark = IconMark(theme, "", size=16)
        self.title = PlainLabel(theme, "", "body_strong")
        self.count = PlainLabel(theme, "", "small", "text-tertiary")
        self.eye = IconButton(theme, "eye", "Show values", toggle=True, small=True)
        self.eye.toggled.connect(self._on_eye)
        self.copy_all = IconButton(theme, "copy", "Copy", small=True)
        self.copy_all.clicked.connect(self._on_copy)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addStrut(theme.height("control_small"))
        for widget in (self.mark, self.title, self.count):
            head.addWidget(widget)
        head.addStretch(1)
        head.addWidget(self.eye)
        head.addWidget(self.copy_all)
        self.rows = QWidget()
        self._holder = QVBoxLayout()
        self._holder.addWidget(self.rows)
        self.body.addLayout(head)
        self.body.addLayout(self._holder)

    def show_section(self, section: Section) -> None:
        """Shows it, unless it shows the same already."""
        if section == self._section:
            return
        self._section = section
        self._show_lines()

    @property
    def texts(self) -> list[str]:
        """Every word of its lines, for a screen reader and for tests."""
        return [label.text() for label in self.rows.findChildren(PlainLabel)]

    def _show_lines(self) -> None:
        section = self._section
        if section is None:
            return
        self.setAccessibleName(section.title)
        self.title.setText(section.title)
        self.mark.set(section.icon, "text-secondary")
        self.count.setText(f"{len(section.lines):,}" if section.key in ("env", "labels") and section.lines else "")
        self.eye.setVisible(any(line.secret for line in section.lines))
        self.copy_all.setVisible(bool(section.lines))
        self.copy_all.set_name(f"Copy {section.title.lower()}")
        fresh = QWidget()
        grid = QGridLayout(fresh)
        grid.setContentsMargins(0, 8, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        if not section.lines:
            grid.addWidget(PlainLabel(self._theme, section.empty, "small", "text-secondary"), 0, 0)
        for at, line in enumerate(section.lines):
            self._add(grid, at, line)
        self._holder.replaceWidget(self.rows, fresh)
        self.rows.hide()
        self.rows.deleteLater()
        self.rows = fresh

    def _add(self, grid: QGridLayout, at: int, line: Line) -> None:
        long_name = self._section is not None and self._section.key in ("env", "labels", "mounts")
        name = PlainLabel(
            self._theme, visible_name(line.name), "mono" if long_name else "small", "text-secondary",
            elide=Qt.TextElideMode.ElideMiddle if long_name else None,
        )  # fmt: skip
        name.setFixedWidth(190 if long_name else 104)
        name.setContentsMargins(0, 0 if long_name else 2 if line.mono else 1, 0, 0)
        shown = masked(line.value) if line.secret and not self._seen else visible_name(line.value, SHOWN_CHARS)
        value = PlainLabel(self._theme, shown, "mono" if line.mono else "body", wrap=True)
        if all(len(word) <= LONGEST_WORD for word in shown.split()):
            value.set_selectable()
        value.setAccessibleName(f"{line.name}: {'hidden' if line.secret and not self._seen else shown}")
        grid.addWidget(name, at, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(value, at, 1)
        if line.warn:
            mark = PlainLabel(self._theme, line.warn, "small", "warning")
            mark.setContentsMargins(0, 2 if line.mono else 1, 0, 0)
            grid.addWidget(mark, at, 2, Qt.AlignmentFlag.AlignTop)

    def _on_eye(self, seen: bool) -> None:
        self._seen = seen
        self.eye.set_icon("eye-off" if seen else "eye")
        name = "Hide values" if seen else "Show values"
        self.eye.setAccessibleName(name)
        set_tooltip(self.eye, name)
        self._show_lines()

    def _on_copy(self) -> None:
        if self._section is not None:
            joint = "=" if self._section.key in ("env", "labels") else ": "
            self._copy("\n".join(f"{line.name}{joint}{line.value}" for line in self._section.lines))


class OverviewTab(ScrollArea):
    """Sections in two columns, one in a narrow window."""

    def __init__(self, theme: Theme, copy: Callable[[str], object], parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._theme, self._copy = theme, copy
        self.cards: dict[str, SectionCard] = {}
        self.setAccessibleName("Overview")
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inner = QWidget()
        self.setWidget(inner)
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight, inner)
        self._columns.setContentsMargins(16, 16, 16, 16)
        self._columns.setSpacing(12)
        self._left, self._right = QVBoxLayout(), QVBoxLayout()
        for column in (self._left, self._right):
            column.setSpacing(12)
            self._columns.addLayout(column, 1)
        self._left.addStretch(1)
        self._right.addStretch(1)
        OverlayScrollBar(self)

    def show_details(self, details: ContainerDetails, troubles: Troubles) -> None:
        """Shows what an inspect said, and which of its ports do not answer."""
        for section in sections(details, time.time(), troubles):
            card = self.cards.get(section.key)
            if card is None:
                card = self.cards[section.key] = SectionCard(self._theme, self._copy)
                column = self._left if section.key in LEFT else self._right
                column.insertWidget(column.count() - 1, card)
            card.show_section(section)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """One column or two."""
        super().resizeEvent(event)
        two = self.viewport().width() >= TWO_COLUMNS
        direction = QBoxLayout.Direction.LeftToRight if two else QBoxLayout.Direction.TopToBottom
        if self._columns.direction() is not direction:
            self._columns.setDirection(direction)
            self._columns.setStretch(0, int(two))
