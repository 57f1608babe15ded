"""A tinted panel of sentences: what reaches the host, what a pasted line held besides, why a run failed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets import paint
from app.widgets.buttons import Button, IconButton
from app.widgets.states import IconMark
from app.widgets.text import PlainLabel


class Advice(QWidget):
    """Hidden until `say`; with `closable` it has an x. `pressed` tells of its button."""

    pressed = Signal()

    def __init__(self, theme: Theme, kind: str, icon: str, *, closable: bool = False) -> None:
        super().__init__()
        self._theme, self._kind = theme, kind
        self.title = PlainLabel(theme, "", "body_strong")
        self._lines: list[PlainLabel] = []
        self._column = QVBoxLayout()
        self._column.setSpacing(4)
        self._column.setContentsMargins(0, 4, 0, 4)
        self._column.addWidget(self.title)
        self.step = Button(theme, "", small=True)
        self.step.clicked.connect(self.pressed)
        self._column.addWidget(self.step, 0, Qt.AlignmentFlag.AlignLeft)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 6, 8, 6)
        row.setSpacing(10)
        mark = QVBoxLayout()
        mark.setContentsMargins(0, 5, 0, 0)
        mark.addWidget(IconMark(theme, icon, kind), 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(mark)
        row.addLayout(self._column, 1)
        if closable:
            close = IconButton(theme, "x", "Close this note", small=True)
            close.clicked.connect(self.hide)
            row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    def say(self, title: str, sentences: Sequence[str], step: str = "") -> None:
        """Shows a title, a line for each sentence and a button for the `step`; without all of them it hides."""
        for old in self._lines:
            self._column.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._lines = [PlainLabel(self._theme, s, "body", "text-secondary", wrap=True) for s in sentences]
        self.title.setText(title)
        for place, label in enumerate(self._lines, 1):
            self._column.insertWidget(place, label)
        self.step.setText(step)
        self.step.setVisible(bool(step))
        self.setVisible(bool(title or sentences))
        self.setAccessibleName(" ".join((title, *sentences)))

    def sentences(self) -> list[str]:
        """What it says now."""
        return [label.text() for label in self._lines]

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the tint."""
        painter = QPainter(self)
        paint.rounded(painter, self.rect(), self._theme.radius("card"), self._theme.color(f"{self._kind}-soft"))
