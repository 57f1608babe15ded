"""What the tabs of the machine's page are built of: a column that scrolls, headings, lines of facts."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.models.machine import Fact
from app.theme import Theme
from app.widgets.buttons import IconButton
from app.widgets.cards import Hairline
from app.widgets.focus import ScrollArea
from app.widgets.forms import LABEL_COLUMN
from app.widgets.text import PlainLabel

WIDTH = 760


class Column(ScrollArea):
    """One column of at most 760 px, named for those who cannot see; `body` takes what is in it."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(theme)
        self._theme = theme
        self.setWidgetResizable(True)
        self.setAccessibleName(name)
        holder = QWidget()
        holder.setMaximumWidth(WIDTH)
        self.body = QVBoxLayout(holder)
        self.body.setContentsMargins(16, 20, 16, 20)
        self.body.setSpacing(0)
        inner = QWidget()
        row = QHBoxLayout(inner)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(holder, 100)
        row.addStretch(1)
        self.setWidget(inner)

    def heading(self, text: str, words: str = "", *, first: bool = False) -> QWidget:
        """A new part with its title, and words that explain it; it can be hidden as one, and takes more."""
        part = QWidget()
        column = QVBoxLayout(part)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        if not first:
            column.addSpacing(24)
            column.addWidget(Hairline(self._theme))
            column.addSpacing(20)
        column.addWidget(PlainLabel(self._theme, text, "heading"))
        if words:
            column.addSpacing(4)
            column.addWidget(PlainLabel(self._theme, words, "body", "text-secondary", wrap=True))
        column.addSpacing(12)
        self.body.addWidget(part)
        return part


def put(part: QWidget, *widgets: QWidget, gap: int = 12) -> None:
    """Adds widgets to a part of a column, one below the other."""
    layout = part.layout()
    assert isinstance(layout, QVBoxLayout)
    for number, widget in enumerate(widgets):
        if number or part.property("filled"):
            layout.addSpacing(gap)
        layout.addWidget(widget)
        part.setProperty("filled", True)


class _FactLine(QWidget):
    """A name, what is so, and a way to copy it."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        label = PlainLabel(theme, name, "body_medium")
        label.setFixedWidth(LABEL_COLUMN)
        self._words = PlainLabel(theme, "", elide=Qt.TextElideMode.ElideMiddle)
        self._copied = ""
        self._copy = IconButton(theme, "copy", f"Copy {name.lower()}", small=True)
        self._copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._copied))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addStrut(30)
        row.addWidget(label)
        row.addWidget(self._words, 1)
        row.addWidget(self._copy)

    def set(self, fact: Fact) -> None:
        self._copied = fact.copied
        self._words.setText(fact.words)
        self._words.set_token(fact.token)
        self._copy.setVisible(bool(fact.copied))


class Facts(QWidget):
    """Lines of facts; those whose names stay are changed in place."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._lines: dict[str, _FactLine] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)

    def set_facts(self, facts: Sequence[Fact]) -> None:
        """Shows these."""
        if [fact.name for fact in facts] != list(self._lines):
            for line in self._lines.values():
                line.hide()
                line.deleteLater()
            self._lines = {fact.name: _FactLine(self._theme, fact.name) for fact in facts}
            for line in self._lines.values():
                self._column.addWidget(line)
        for fact in facts:
            self._lines[fact.name].set(fact)
