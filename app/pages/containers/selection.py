"""SelectionBar: what can be done with the ticked rows, floating above the bottom of the list."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QRect, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.theme import Theme
from app.widgets import paint
from app.widgets.buttons import Button, IconButton
from app.widgets.cards import Hairline, Shade
from app.widgets.overlay import Floating
from app.widgets.text import PlainLabel, set_tooltip

BOTTOM = 20
HEIGHT = 46
VERBS = (
    ("start", "Start", "play"),
    ("stop", "Stop", "square"),
    ("restart", "Restart", "rotate-cw"),
    ("pause", "Pause", "pause"),
    ("resume", "Resume", "play"),
    ("rename", "Rename…", "pencil"),
)
WHERE_THEY_APPLY = frozenset(("resume", "kill"))
"""Seldom wanted, so they take no room while they cannot be pressed."""
OF_ONE = frozenset(("rename",))


class SelectionBar(Floating):
    """Shown while something is ticked. `chosen(verb)` and `closed()`."""

    chosen = Signal(str)
    closed = Signal()

    def __init__(self, theme: Theme, over: QWidget) -> None:
        super().__init__(over)
        self._theme, self._over = theme, over
        self._shade = Shade(theme, over)
        self.setAccessibleName("Selection")
        self.count = PlainLabel(theme, "", "body_strong")
        self.words = PlainLabel(theme, "", "small", "text-secondary")
        self.buttons: dict[str, Button] = {}
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 8, 0)
        row.setSpacing(2)
        row.addWidget(self.count)
        row.addSpacing(6)
        row.addWidget(self.words)
        row.addSpacing(26)
        for verb, text, icon in VERBS:
            self._add(row, verb, Button(theme, text, icon, "ghost"))
        row.addSpacing(6)
        row.addWidget(self._line())
        row.addSpacing(6)
        self._add(row, "kill", Button(theme, "Kill", "zap", "ghost-danger"))
        self._add(row, "remove", Button(theme, "Remove…", "trash-2", "ghost-danger"))
        row.addSpacing(6)
        row.addWidget(self._line())
        row.addSpacing(6)
        self.leave = IconButton(theme, "x", "Untick all", "Esc")
        self.leave.clicked.connect(self.closed)
        row.addWidget(self.leave)
        self.setFixedHeight(HEIGHT)
        self.hide()
        over.installEventFilter(self)

    def _add(self, row: QHBoxLayout, verb: str, button: Button) -> None:
        button.clicked.connect(lambda: self.chosen.emit(verb))
        self.buttons[verb] = button
        row.addWidget(button)

    def _line(self) -> QWidget:
        line = Hairline(self._theme, standing=True, token="border-strong")
        line.setFixedHeight(20)
        return line

    def show_selection(self, count: int, words: str, why_not: Callable[[str], str]) -> None:
        """Shows it for `count` rows; buttons that do not apply say why."""
        self.count.setText(f"{count:,} selected")
        self.words.setText(words)
        for verb, button in self.buttons.items():
            why = why_not(verb)
            button.setEnabled(not why)
            set_tooltip(button, why)
            button.setVisible(count == 1 if verb in OF_ONE else not why or verb not in WHERE_THEY_APPLY)
        self._shade.setVisible(count > 0)
        self.setVisible(count > 0)
        if count:
            self._place()
            self._shade.raise_()
            self.raise_()

    def set_words(self, words: str) -> None:
        """Only the sums."""
        if self.words.text() != words:
            self.words.setText(words)
            self._place()

    def verbs(self) -> Sequence[str]:
        """The verbs on offer."""
        return tuple(self.buttons)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Keeps its place when what is below it changes its size."""
        if event.type() is QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    def _place(self) -> None:
        room = self._over.rect()
        self.words.setVisible(True)
        self.words.setVisible(self._row.sizeHint().width() <= room.width() - 32)
        width = min(self._row.sizeHint().width(), room.width() - 16)
        self.setGeometry(QRect((room.width() - width) // 2, room.height() - BOTTOM - HEIGHT, width, HEIGHT))
        self._shade.around(self.geometry())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """A raised box with round corners."""
        painter = QPainter(self)
        theme = self._theme
        paint.rounded(
            painter, self.rect(), theme.radius("popover"), theme.color("raised"), theme.color("border-strong")
        )
